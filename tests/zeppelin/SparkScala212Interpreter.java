package org.apache.zeppelin.spark;

import java.io.File;
import java.net.URLClassLoader;
import java.util.List;
import java.util.Map;
import java.util.Properties;

import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SQLContext;
import org.apache.spark.sql.SparkSession;
import org.apache.zeppelin.interpreter.InterpreterContext;
import org.apache.zeppelin.interpreter.InterpreterGroup;
import org.apache.zeppelin.interpreter.InterpreterResult;
import org.apache.zeppelin.interpreter.ZeppelinContext;
import org.apache.zeppelin.interpreter.thrift.InterpreterCompletion;

/** Stands in for the Scala shell of Zeppelin, which is not on Maven: it holds the session for %spark.pyspark, and no more. */
public class SparkScala212Interpreter extends AbstractSparkScalaInterpreter {
  private final SparkConf conf;
  private final Properties properties;
  private final InterpreterGroup group;
  private final URLClassLoader loader;
  private SparkSession session;
  private ZeppelinContext context;

  public SparkScala212Interpreter(SparkConf conf, List<String> files, Properties properties, InterpreterGroup group,
      URLClassLoader loader, File output) {
    this.conf = conf;
    this.properties = properties;
    this.group = group;
    this.loader = loader;
  }

  @Override
  public void open() {
    session = SparkSession.builder().config(conf).getOrCreate();
    context = new ZeppelinContext(group.getInterpreterHookRegistry(), 1000) {
      @Override
      public Map<String, String> getInterpreterClassMap() {
        return Map.of("spark", "org.apache.zeppelin.spark.SparkInterpreter", "pyspark", "org.apache.zeppelin.spark.PySparkInterpreter");
      }

      @Override
      public List<Class> getSupportedClasses() {
        return List.of(Dataset.class);
      }

      @Override
      public String showData(Object data, int rows) {
        Dataset<Row> set = ((Dataset<?>) data).toDF();
        StringBuilder text = new StringBuilder("%table ").append(String.join("\t", set.columns())).append('\n');
        for (Row row : set.takeAsList(rows)) {
          text.append(row.mkString("\t")).append('\n');
        }
        return text.toString();
      }
    };
  }

  @Override public SparkContext getSparkContext() { return session.sparkContext(); }
  @Override public SQLContext getSqlContext() { return session.sqlContext(); }
  @Override public Object getSparkSession() { return session; }
  @Override public String getSparkUrl() { return ""; }
  @Override public ZeppelinContext getZeppelinContext() { return context; }
  @Override public int getProgress(String group, InterpreterContext context) { return 0; }
  @Override public void close() { session.stop(); }
  @Override public InterpreterResult interpret(String text, InterpreterContext context) {
    return new InterpreterResult(InterpreterResult.Code.ERROR, "there is no Scala here");
  }
  @Override public List<InterpreterCompletion> completion(String text, int cursor, InterpreterContext context) { return List.of(); }
  @Override public ClassLoader getScalaShellClassLoader() { return loader; }
}
