//! The DataFrame: what its steps mean, and values that survive every way of reading them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array,
    Float64Array, Int8Array, ListArray, NullArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray, TimestampSecondArray, UInt64Array,
};
use distil::configuration::{BackendOptions, Program};
use distil::{
    Choice, ColumnPath, Configuration, DataFrame, Dedup, Fault, Keep, Layout, Mode, NullKeys, Plan,
    Session, Sink, Stores,
};
use distil_storage::{Failure, Memory, Storage};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let mut file = Stores::default().create_new(&self.path(name)).unwrap();
        file.write_all(content.as_ref()).unwrap();
        self.path(name)
    }

    fn names(&self) -> Vec<String> {
        let names = Stores::default().list(self.0.path()).unwrap().into_iter();
        let names = names.map(|name| name.to_string_lossy().into_owned());
        names.filter(|name| !name.ends_with(".distil-lock")).collect()
    }
}

fn session() -> Session {
    Session::open(&Configuration::default(), &Choice::default()).unwrap()
}

/// The rows of a frame, as JSON.
fn rows(frame: &DataFrame) -> Vec<String> {
    frame.head(1000).unwrap().rows.into_iter().map(|row| row.0).collect()
}

const ROWS: &str = "{\"k\":1,\"a\":2,\"b\":\"x\"}\n{\"k\":1,\"a\":1,\"b\":\"z\"}\n\
                    {\"k\":2,\"a\":2,\"b\":\"x\"}\n{\"k\":0,\"a\":2,\"b\":\"y\"}\n";

#[test]
fn a_selection_changes_who_stays_only_if_it_comes_first() {
    let folder = Folder::new();
    let frame = session().read_json(folder.write("in.json", ROWS).as_path());
    let by_key = Dedup::on(["k"]);
    // The remaining columns decide, by name: `a` before `b`.
    let after = frame.clone().drop_duplicates(by_key.clone()).select(["k", "b"]);
    assert_eq!(rows(&after), [r#"{"k":0,"b":"y"}"#, r#"{"k":1,"b":"z"}"#, r#"{"k":2,"b":"x"}"#]);
    // Without `a`, `b` decides.
    let before = frame.clone().select(["k", "b"]).drop_duplicates(by_key.clone());
    assert_eq!(rows(&before), [r#"{"k":0,"b":"y"}"#, r#"{"k":1,"b":"x"}"#, r#"{"k":2,"b":"x"}"#]);
    // Of what the first left, the second keeps one for every `b`.
    let twice = frame.drop_duplicates(by_key).drop_duplicates(Dedup::on(["b"]).keep(Keep::Last));
    let left = [r#"{"k":2,"a":2,"b":"x"}"#, r#"{"k":0,"a":2,"b":"y"}"#, r#"{"k":1,"a":1,"b":"z"}"#];
    assert_eq!(rows(&twice), left);
    assert_eq!(twice.count().unwrap(), 3);
    assert_eq!(folder.names(), ["in.json"]);
}

#[test]
fn new_names_count_from_where_they_are_given() {
    let folder = Folder::new();
    let frame = session().read_json(folder.write("in.json", ROWS).as_path());
    let swapped = frame.clone().rename([("a", "b"), ("b", "a")]).drop_duplicates(Dedup::on(["k"]));
    assert_eq!(rows(&swapped)[1], r#"{"k":1,"b":2,"a":"x"}"#);
    // After the duplicates are gone the rows stay sorted by their key, under its new name.
    let renamed = frame.drop_duplicates(Dedup::on(["k"])).rename([("k", "z"), ("b", "text")]);
    assert_eq!(
        rows(&renamed),
        [
            r#"{"z":0,"a":2,"text":"y"}"#,
            r#"{"z":1,"a":1,"text":"z"}"#,
            r#"{"z":2,"a":2,"text":"x"}"#
        ]
    );
    assert_eq!(names_and_types(&renamed), "z int64, a int64, text string");
    let wrong = renamed.rename([("k", "x")]).count().unwrap_err();
    assert_eq!(wrong.what, "there is no column k to rename");
}

fn names_and_types(frame: &DataFrame) -> String {
    let fields = frame.schema().unwrap().fields;
    let shown = fields.iter().map(|field| format!("{} {}", field.name, field.data_type));
    shown.collect::<Vec<_>>().join(", ")
}

#[test]
fn the_report_tells_of_everything_that_was_read() {
    let folder = Folder::new();
    let input = folder.write("in.json", ROWS);
    let frame = session().read_json(input.as_path()).select(["k", "b"]);
    let frame = frame.drop_duplicates(Dedup::on(["k"])).rename([("k", "key")]);
    let output = folder.path("out.parquet");
    let report = frame.write_parquet(&output).unwrap();
    report.check_accounts().unwrap();
    assert_eq!((report.records.read, report.records.written), (4, 3));
    assert_eq!(report.records.duplicates.conflicting, 1);
    assert_eq!(report.inputs[0].path, input.to_str().unwrap());
    assert_eq!(folder.names(), ["in.json", "out.parquet"]);
    // An output that exists is an error, and stays.
    let error = frame.write_parquet(&output).unwrap_err();
    assert_eq!(error.fault, Fault::Exists);
    let sink = Sink { mode: Mode::Overwrite, ..Sink::new(output.to_str().unwrap()) };
    frame.write(sink).unwrap();
    assert_eq!(folder.names(), ["in.json", "out.parquet"]);
}

#[test]
fn nothing_is_read_before_something_is_asked() {
    let frame = session().read_json("nowhere/").drop_duplicates(Dedup::on(["a b c"]));
    let error = frame.explain().unwrap_err();
    assert_eq!(error.fault, Fault::Usage);
    let frame = session()
        .read_json("nowhere/")
        .select(["b"])
        .drop_duplicates(Dedup::on(["b"]).order_by(["a desc"]).null_keys(NullKeys::Value));
    assert_eq!(
        frame.explain().unwrap(),
        "backend native\nplan 1 of 2\n  read_json nowhere/\n  select b\nplan 2 of 2\n  read the rows \
         of plan 1\n  one row for every b, in the order of a desc, the first\n"
    );
    assert!(frame.count().is_err());
}

/// A column of each type whose values can be carried, with values at their ends.
fn all_types() -> RecordBatch {
    let struct_column = StructArray::from(vec![(
        Arc::new(arrow_schema::Field::new("x", arrow_schema::DataType::Int8, true)),
        Arc::new(Int8Array::from(vec![Some(-128), None, Some(127)])) as ArrayRef,
    )]);
    let list = ListArray::from_iter_primitive::<Float64Type, _, _>([
        Some(vec![Some(0.1), None]),
        None,
        Some(vec![]),
    ]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("u", Arc::new(UInt64Array::from(vec![u64::MAX, 0, 7]))),
        ("f", Arc::new(Float64Array::from(vec![Some(5e-324), None, Some(1.7976931348623157e308)]))),
        ("g", Arc::new(Float32Array::from(vec![0.1, f32::MAX, f32::MIN_POSITIVE]))),
        ("s", Arc::new(StringArray::from(vec![Some("\u{0}\"é😀"), None, Some("")]))),
        ("b", Arc::new(BinaryArray::from(vec![&[0u8, 255][..], &[], b"x"]))),
        ("d", Arc::new(Date32Array::from(vec![-719_162, 0, 2_932_896]))),
        (
            "m",
            Arc::new(
                Decimal128Array::from(vec![10i128.pow(38) - 1, -1, 0])
                    .with_precision_and_scale(38, 10)
                    .unwrap(),
            ),
        ),
        (
            "t",
            Arc::new(
                TimestampMicrosecondArray::from(vec![1, -1, 253_402_300_799_999_999])
                    .with_timezone("Europe/Berlin"),
            ),
        ),
        ("e", Arc::new(TimestampSecondArray::from(vec![1, -1, 0]).with_timezone("UTC"))),
        ("l", Arc::new(list)),
        ("o", Arc::new(struct_column)),
        ("c", Arc::new(DictionaryArray::<Int32Type>::from_iter(["p", "q", "p"]))),
        ("n", Arc::new(NullArray::new(3))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
        .unwrap()
}

#[test]
fn every_value_of_arrow_and_parquet_is_carried_exactly() {
    let folder = Folder::new();
    let batch = all_types();
    let frame = session().from_arrow([batch.clone()]);
    assert_eq!(
        names_and_types(&frame),
        "u decimal(20,0), f float64, g float32, s string, b binary, d date, m decimal(38,10), \
         t timestamp(us, UTC), e timestamp(ms, UTC), l list<float64>, o struct<x: int8>, c string, \
         n string"
    );
    // Equal values have equal digests, whatever types hold them.
    let digest = |batches: &[RecordBatch]| distil_kernel::arrow::digest_batches(batches).unwrap();
    let collected = frame.collect().unwrap();
    assert_eq!(digest(&collected), digest(&[batch]));
    let output = folder.path("out.parquet");
    let report = frame.write_parquet(&output).unwrap();
    assert_eq!(report.records.written, 3);
    assert_eq!(report.warnings, Vec::<String>::new());
    let again = session().read_parquet(output.as_path());
    assert_eq!(names_and_types(&again), names_and_types(&frame));
    assert_eq!(digest(&again.collect().unwrap()), digest(&collected));
}

#[test]
fn an_output_of_distil_is_read_back_with_its_json_columns() {
    let folder = Folder::new();
    let text =
        "{\"k\":1,\"j\":{\"a\":[1,\"x\"]}}\n{\"k\":2,\"j\":1e400}\n{\"k\":3,\"j\":\"1e400\"}\n";
    let frame = session().read_json(folder.write("in.json", text).as_path());
    let frame = frame.drop_duplicates(Dedup::on(["k"]));
    let first = folder.path("first.parquet");
    frame.write_parquet(&first).unwrap();
    let again = session().read_parquet(first.as_path()).drop_duplicates(Dedup::on(["k"]));
    assert_eq!(names_and_types(&again), "k int64, j json");
    again.write_parquet(folder.path("second.parquet")).unwrap();
    Session::native().verify(&folder.path("second.parquet"), Some(&first)).unwrap();
    assert_eq!(rows(&again)[1], "{\"k\":2,\"j\":1e400}");
}

#[test]
fn what_cannot_be_carried_exactly_is_refused_by_its_name() {
    let refused = |column: ArrayRef| {
        let batch = RecordBatch::try_from_iter_with_nullable([("col", column, true)]).unwrap();
        let error = session().from_arrow([batch]).count().unwrap_err();
        assert_eq!(error.fault, Fault::Input, "{error}");
        std::iter::once(error.what).chain(error.details).collect::<Vec<_>>().join(" | ")
    };
    let local = TimestampMicrosecondArray::from(vec![0]);
    let text = refused(Arc::new(local));
    assert!(text.contains("no time zone") && text.contains("in the column col"), "{text}");
    let text = refused(Arc::new(arrow_array::Time32SecondArray::from(vec![0])));
    assert!(text.contains("no type of distil") && text.contains("in the column col"), "{text}");
    let text = refused(Arc::new(Float64Array::from(vec![f64::NAN])));
    assert!(text.contains("col holds NaN"), "{text}");
}

#[test]
fn a_frame_of_several_outputs_is_all_their_rows() {
    let folder = Folder::new();
    let session = session();
    for (name, text) in [("a", "{\"k\":1,\"v\":1}"), ("b", "{\"k\":1,\"v\":2}\n{\"k\":2,\"v\":1}")]
    {
        let input = folder.write(&format!("{name}.json"), text);
        session
            .read_json(input.as_path())
            .write_parquet(folder.path(&format!("{name}.parquet")))
            .unwrap();
    }
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let both = session.read_parquet([path("a.parquet"), path("b.parquet")]);
    assert_eq!(both.count().unwrap(), 3);
    let one = both.drop_duplicates(Dedup::on(["k"]).order_by(["v desc"]));
    assert_eq!(rows(&one), [r#"{"k":1,"v":2}"#, r#"{"k":2,"v":1}"#]);
    assert!(session.read_parquet(Path::new("nowhere.parquet")).count().is_err());
}

/// The session of a configuration that names pandas.
/// Rows are read whole before the output appears, so it may take the place of what they were read from.
#[test]
fn an_output_is_replaced_by_its_own_rows() {
    let folder = Folder::new();
    let session = session();
    let text: String = (0..50).map(|n| format!("{{\"k\":{},\"v\":{n}}}\n", n % 7)).collect();
    let input = folder.write("in.json", &text);
    for name in ["rows.parquet", "rows"] {
        let output = folder.path(name);
        let sink =
            || Sink { row_group_rows: 3, mode: Mode::Overwrite, ..Sink::new(output.as_path()) };
        let of_files = |sink: Sink| match sink.layout {
            Layout::Dir => Sink { max_file_rows: Some(10), ..sink },
            Layout::File => sink,
        };
        session.read_json(input.as_path()).write(of_files(sink())).unwrap();
        let again = session.read_parquet(output.as_path());
        assert_eq!(again.count().unwrap(), 50);
        let one = again.drop_duplicates(Dedup::on(["k"]).order_by(["v"]).keep(Keep::Last));
        let report = one.write(sink()).unwrap();
        assert_eq!((report.records.read, report.records.written), (50, 7));
        let read: Vec<&str> = report.inputs.iter().map(|input| input.path.as_str()).collect();
        assert!(read.iter().all(|path| path.starts_with(output.to_str().unwrap())), "{read:?}");
        let left = session.read_parquet(output.as_path());
        assert_eq!(rows(&left)[6], r#"{"k":6,"v":48}"#);
        let same = session.read_json(input.as_path());
        let same = same.drop_duplicates(Dedup::on(["k"]).order_by(["v"]).keep(Keep::Last));
        assert_eq!(rows(&left), rows(&same));
        // Without the word, nothing is replaced.
        let refused = left.write(Sink { mode: Mode::Error, ..sink() });
        assert_eq!(refused.unwrap_err().fault, Fault::Exists);
    }
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let folder = Folder::new();
    let batch = RecordBatch::try_from_iter([(
        "k",
        Arc::new(arrow_array::Int64Array::from(vec![1, 1])) as ArrayRef,
    )])
    .unwrap();
    let output = folder.path("rows.parquet");
    session().from_arrow([batch]).write_parquet(&output).unwrap();
    let path = output.to_str().unwrap();
    let twice = session().read_parquet([path, path]);
    assert_eq!(twice.count().unwrap(), 2);
    assert_eq!(twice.rename([("k", "j")]).count().unwrap(), 2);
}

#[test]
fn a_row_with_a_bad_value_is_told_by_its_place() {
    let folder = Folder::new();
    let dates = Date32Array::from(vec![0, 1, 2_932_897]);
    let batch = RecordBatch::try_from_iter([("d", Arc::new(dates) as ArrayRef)]).unwrap();
    let error = session().from_arrow([batch.clone()]).count().unwrap_err();
    assert_eq!(error.what, "1 bad record");
    assert_eq!(
        error.details,
        ["from_arrow 3 rows at row 2: bad_value: d: expected a time in the years 0001 to 9999"]
    );
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let path = folder.write("others.parquet", writer.into_inner().unwrap());
    let error = session().read_parquet(path.as_path()).count().unwrap_err();
    assert_eq!(
        error.details,
        [format!(
            "{} at row 2: bad_value: d: expected a time in the years 0001 to 9999",
            path.display()
        )]
    );
}

fn on_pandas() -> Session {
    let mut options = BackendOptions::default();
    options.engine = Some("pandas".into());
    options.python = Some(Program(vec![distil_testkit::python().to_str().unwrap().into()]));
    let mut configuration = Configuration::default();
    configuration.backends.insert("reference".into(), options);
    let choice = Choice { backend: Some("reference"), ..Choice::default() };
    Session::open(&configuration, &choice).unwrap()
}

#[test]
fn a_frame_has_the_same_rows_on_pandas() {
    let folder = Folder::new();
    let input = folder.write("in.json", ROWS);
    let digest = |frame: &DataFrame| {
        distil_kernel::arrow::digest_batches(&frame.collect().unwrap()).unwrap()
    };
    let frames = |session: &Session| {
        let read = session.read_json(input.as_path());
        let key = Dedup::on(["k"]).order_by(["a desc"]);
        [
            read.clone().drop_duplicates(key.clone()).select(["k", "b"]),
            read.clone().select(["k", "b"]).drop_duplicates(Dedup::on_record()),
            read.rename([("a", "b"), ("b", "a")]).drop_duplicates(Dedup::on(["k"])),
            session.from_arrow([all_types()]).select(["u", "f", "s", "t", "l", "o"]),
        ]
    };
    let (native, pandas) = (session(), on_pandas());
    for (native, pandas) in frames(&native).iter().zip(&frames(&pandas)) {
        assert!(pandas.explain().unwrap().starts_with("backend pandas\n"));
        assert_eq!(rows(native), rows(pandas));
        assert_eq!(digest(native), digest(pandas));
        assert_eq!(names_and_types(native), names_and_types(pandas));
    }
}

#[test]
fn a_plan_is_a_frame_with_its_steps() {
    let folder = Folder::new();
    let input = folder.write("in.json", ROWS);
    let mut plan = Plan::new(vec![input.to_str().unwrap().to_owned()], Sink::new("unused"));
    plan.dedup = Some(distil::plan::Dedup::on_columns(ColumnPath::parse_list("k").unwrap()));
    plan.columns = Some(ColumnPath::parse_list("b,k").unwrap());
    let frame = session().frame(plan);
    let same = session().read_json(input.as_path()).drop_duplicates(Dedup::on(["k"]));
    let expected = rows(&same.select(["b", "k"]));
    assert_eq!(rows(&frame), expected);
    assert_eq!(rows(&frame.clone().select(["b"])).len(), expected.len());
    // It is run as it is: whatever fails is reported, and nothing lies beside the output meanwhile.
    let sink = Sink::new(folder.path("missing/out.parquet").to_str().unwrap());
    let (report, result) = frame.run(sink.clone());
    assert_eq!(result.unwrap_err().fault, Fault::Usage);
    assert_eq!(report.output.path, sink.path.to_string());
    assert!(report.error.is_some());
    assert_eq!(folder.names(), ["in.json"]);
    // What steps can't mean is reported, too.
    let (report, result) = frame.select(["b"]).select(["k"]).run(sink);
    assert_eq!(result.unwrap_err().fault, Fault::Usage);
    assert_eq!(report.error.unwrap().exit_status, 2);
}

/// What lies between plans goes through the storage of the session, so that another one sees it, and is
/// removed, whichever call fails.
#[test]
fn plans_of_a_frame_touch_nothing_but_the_stores_of_the_session() {
    let run = |fails_at: Option<u64>| {
        let memory = Memory::new();
        memory.put("in/a.ndjson", b"{\"k\":1,\"a\":2}\n{\"k\":1,\"a\":1}\n");
        if let Some(call) = fails_at {
            memory.fail_at(call, Failure::NoSpace);
        }
        let stores = Stores::on(Arc::new(memory.clone()));
        let session =
            Session::open_on(stores, &Configuration::default(), &Choice::default()).unwrap();
        let rows = session.read_json("in").drop_duplicates(Dedup::on(["k"]));
        let result = rows.rename([("a", "b")]).write_parquet("out.parquet");
        let head = session.head(Path::new("out.parquet"), 9).map(|head| head.rows[0].0.clone());
        (memory, result, head)
    };
    let (memory, result, head) = run(None);
    assert_eq!(result.unwrap().records.written, 1);
    assert_eq!(head.unwrap(), r#"{"k":1,"b":1}"#);
    assert_eq!(memory.names(""), ["in", "out.parquet"]);
    let calls = memory.calls();
    assert!(calls > 20, "{calls}");
    for call in 1..=calls {
        let (memory, result, head) = run(Some(call));
        match result {
            Err(error) if error.fault == Fault::AfterCommit => {
                assert_eq!(head.unwrap(), r#"{"k":1,"b":1}"#, "{call}: {error:?}");
            }
            // The call removed what was of no use any more.
            Ok(_) => assert_eq!(head.unwrap(), r#"{"k":1,"b":1}"#, "{call}"),
            Err(error) => {
                assert_eq!(error.fault, Fault::Environment, "{call}: {error:?}");
                head.unwrap_err();
                assert_eq!(error.output.as_deref(), Some(NOTHING), "{call}: {error:?}");
            }
        }
        let names = memory.names("");
        let hidden = names.iter().filter(|name| name.contains("frame")).count();
        assert!(hidden == 0 || call > calls - 8, "{call}: {names:?}");
    }
}

/// What a run that failed says of its output.
const NOTHING: &str = "nothing was written; the output is as it was before";
