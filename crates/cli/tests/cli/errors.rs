//! Wrong arguments, wrong places, and the help that prevents them.

use insta::assert_snapshot;

use crate::context::Context;

#[test]
fn help_and_version_go_to_standard_output() {
    let context = Context::new();
    assert_snapshot!(context.run(&["--version"]), @"
    exit: 0
    --- stdout
    distil [VERSION]
    ");
    assert_snapshot!(context.run(&["-h"]), @"
    exit: 0
    --- stdout
    JSON records to clean Parquet, one record for every key

    Usage: distil [OPTIONS] <COMMAND>

    Examples:
      distil run incoming/ -o events.parquet --key ts --order-by 'id, data'
      distil schema incoming/ --why
      distil verify events.parquet

    Commands:
      run          Read JSON records, keep one for every key, write Parquet
      replay       Read records that a run set aside, as they are or mended, with the plan of that run
      plan         Print the plan of a run as JSON, for `distil run --plan`
      generate     Write test data with a known answer
      schema       Infer the schema of JSON records from all the data
      head         Print the first rows of an output as JSON lines
      digest       Print the digest of an output: equal rows have equal digests, on any backend
      verify       Check an output against its own footer, and against a reference
      audit        Did every node of a cluster work? Judge what Spark recorded of an application
      backends     List the backends that can be named, or check whether they answer
      emr          Run jobs on clusters of Amazon EMR, which cost money: `distil emr plan` says how much
      trust        Trust a configuration file, which may then start programs and reach addresses
      completions  Print a completion script
      help         Print this message or the help of the given subcommand(s)

    Options:
      -q, --quiet       Print errors and warnings only
      -v, --verbose...  Show the first conflicts and a log (-vv for a debug log)
      -h, --help        Print help
      -V, --version     Print version

    Run `distil COMMAND --help` for all options of a command, and `distil --licenses` for the
    licences of everything that it contains.
    ");
    assert_snapshot!(context.run(&["run", "-h"]), @r#"
    exit: 0
    --- stdout
    Read JSON records, keep one for every key, write Parquet

    Usage: distil run [OPTIONS] [SOURCE]...

    Examples:
      One row for every instant, the one with the smallest id and data:
        distil run incoming/ -o events.parquet --key ts --order-by 'id, data'

      The newest version of every customer, bad records set aside:
        distil run 'dump/*.json.gz' -o customers/ --key id --order-by updated --keep last \
          --quarantine customers.bad.ndjson

      From standard input, exact copies dropped:
        cat events.ndjson | distil run - -o events.parquet --key '*'

    Arguments:
      [SOURCE]...  Files, directories, globs in quotes, or - for standard input

    Options:
      -o, --output <OUT>        The output: NAME.parquet (or .parq, .pq) is a file, any other name a
                                directory
      -k, --key <COLS>          Columns whose values make two records the same, or '*' for the whole
                                record
      -q, --quiet               Print errors and warnings only
      -v, --verbose...          Show the first conflicts and a log (-vv for a debug log)
          --job <NAME>          Run this job of the configuration; flags override its options
          --config <FILE.toml>  The configuration; by default, distil.toml if it is there
          --plan <FILE.json>    Run this plan, made by `distil plan`, instead of one from flags
      -h, --help                Print help (see more with '--help')

    Reading:
          --all-files                Take all files of directories, not only those that look like JSON
          --records <PATH>           Where in each value of a file its records are: /data/items, '/*'
                                     for all elements or members, '/{id}' for members whose names become
                                     a column
          --add <NAME=PATH>          Members around the records that each of them gets as a column:
                                     NAME=/PATH [repeatable]
          --hive                     Give records the columns that directories name, as
                                     year=2024/month=05 does
          --origin                   Give records the columns _file and _position, which say where they
                                     lie
          --shape <SHAPE>            How values follow each other in a file: auto, lines, concatenated
                                     or array; /PATH is short for --records [default: auto]
          --type <NAME=TYPE>         Types of single columns; the others are inferred from all the data
                                     [repeatable]
          --null-text <[NAME=]TEXT>  Strings that stand for null: 'price=NA|N/A,qty=-', or without a
                                     column 'NA' [repeatable]
          --strict-types             Take only values that are spelled as their declared type is: no
                                     numbers in strings
          --schema <SCHEMA>          All columns: FILE.json, or text such as 'id string, ts
                                     timestamp(ms)'
          --schema-from <OUT>        Keep the types of an earlier output; other columns are inferred
          --extra-members <WHAT>     What to do with members outside a declared schema [default: error]
                                     [possible values: error, ignore, keep]
          --repair <KINDS>           Mend what is invalid, and count it: nan, surrogates,
                                     duplicate-members
          --max-record <SIZE>        The largest record [default: 64MiB]

    Duplicates:
          --order-by <ORDER>        Which copy survives: the first in this order, 'COL [as text]
                                    [asc|desc], ...'
          --keep <END>              Keep the first or the last record of each key [default: first]
                                    [possible values: first, last]
          --null-keys <WHAT>        What to do with records whose key is null [default: error] [possible
                                    values: error, value]
          --on-conflict <WHAT>      What to do when records with the same key differ [default: keep]
                                    [possible values: keep, warn, error]
          --dropped <FILE.parquet>  Write the conflicting records that did not survive to this file

    Bad records:
          --quarantine <FILE.ndjson>  Set bad records aside in this file and go on
          --max-quarantined <N|P%>    Fail if more records and ranges than this are bad: a count, or a
                                      share of records and bytes such as 0.1%

    Output:
          --columns <COLS>         Columns to write, in this order; survivors are chosen before
          --allow-empty            Let input without a record be no error: the output has no rows
          --mode <MODE>            What to do if the output exists [default: error] [possible values:
                                   error, overwrite]
          --layout <LAYOUT>        Write one file or a directory of files [default: from the name of
                                   OUT] [possible values: file, dir]
          --max-file-rows <N>      Most rows of a file in a directory
          --max-file-bytes <SIZE>  Most bytes of a file in a directory
          --row-group-rows <N>     Most rows of a row group
          --compression <CODEC>    Compression: zstd[:LEVEL], snappy, lz4 or none [default: zstd]
          --bloom <COLS>           Columns that get a bloom filter
          --digest                 Compute the digest of the output, for its footer and the report

    Running:
          --backend <NAME|URL>              The backend that runs the job: a name of the configuration,
                                            an engine, or a URL [default: native]
          --report <FILE.json|FILE.html|->  Write the report to this file, as a page for people if its
                                            name ends in .html, or to standard output with -
          --dry-run                         Check everything but the records, and write nothing

    Resources:
          --threads <N>      Threads of this process [default: the cores that the process may use]
          --memory <SIZE>    Memory of this process [default: 80 % of what the process may use]
          --temp-dir <DIR>   Where temporary files go [default: the directory of the output]
          --progress <WHEN>  Where progress is shown [default: auto] [possible values: auto, always,
                             never]
    "#);
    assert_snapshot!(context.run(&["generate", "-h"]), @"
    exit: 0
    --- stdout
    Write test data with a known answer

    Usage: distil generate [OPTIONS] --files <N> --records <N> <DIR>

    Examples:
      distil generate data --files 20 --records 45000 --duplicates 5000 --spread 50%
      distil verify events.parquet data.answer.json

    Arguments:
      <DIR>  A directory that is new or empty; the answer is written beside it, to DIR.answer.json

    Options:
          --files <N>        Files
          --records <N>      Records in each file, each with an instant of its own
          --duplicates <N>   Extra records in each file, with instants that others have [default: 0]
          --spread <P%>      Share of the duplicates that lie in another file than their original
                             [default: 0%]
          --date <YYYYMMDD>  The first day
          --days <N>         Days over which the instants are spread
          --seed <N>         Another seed makes another data set [default: 0]
          --shape <SHAPE>    How the records lie in a file: document, array or lines [default: document]
          --gzip             Compress the files
      -q, --quiet            Print errors and warnings only
      -v, --verbose...       Show the first conflicts and a log (-vv for a debug log)
      -h, --help             Print help
    ");
    assert_snapshot!(context.run(&["schema", "-h"]), @"
    exit: 0
    --- stdout
    Infer the schema of JSON records from all the data

    Usage: distil schema [OPTIONS] [SOURCE]...

    Examples:
      distil schema incoming/ --why
      distil schema incoming/ --json > schema.json
      distil run incoming/ -o events.parquet --key ts --schema schema.json

    Arguments:
      [SOURCE]...  Files, directories, globs in quotes, or - for standard input

    Options:
      -q, --quiet       Print errors and warnings only
          --json        Print JSON that `--schema FILE.json` reads
      -v, --verbose...  Show the first conflicts and a log (-vv for a debug log)
          --why         Say what forced each type, and where
          --fix         Print the flags that make columns hold the types of most of their values
      -h, --help        Print help (see more with '--help')

    Reading:
          --all-files                Take all files of directories, not only those that look like JSON
          --records <PATH>           Where in each value of a file its records are: /data/items, '/*'
                                     for all elements or members, '/{id}' for members whose names become
                                     a column
          --add <NAME=PATH>          Members around the records that each of them gets as a column:
                                     NAME=/PATH [repeatable]
          --hive                     Give records the columns that directories name, as
                                     year=2024/month=05 does
          --origin                   Give records the columns _file and _position, which say where they
                                     lie
          --shape <SHAPE>            How values follow each other in a file: auto, lines, concatenated
                                     or array; /PATH is short for --records [default: auto]
          --type <NAME=TYPE>         Types of single columns; the others are inferred from all the data
                                     [repeatable]
          --null-text <[NAME=]TEXT>  Strings that stand for null: 'price=NA|N/A,qty=-', or without a
                                     column 'NA' [repeatable]
          --strict-types             Take only values that are spelled as their declared type is: no
                                     numbers in strings
          --schema <SCHEMA>          All columns: FILE.json, or text such as 'id string, ts
                                     timestamp(ms)'
          --schema-from <OUT>        Keep the types of an earlier output; other columns are inferred
          --extra-members <WHAT>     What to do with members outside a declared schema [default: error]
                                     [possible values: error, ignore, keep]
          --repair <KINDS>           Mend what is invalid, and count it: nan, surrogates,
                                     duplicate-members
          --max-record <SIZE>        The largest record [default: 64MiB]

    Resources:
          --threads <N>      Threads of this process [default: the cores that the process may use]
          --memory <SIZE>    Memory of this process [default: 80 % of what the process may use]
          --temp-dir <DIR>   Where temporary files go [default: the directory of the output]
          --progress <WHEN>  Where progress is shown [default: auto] [possible values: auto, always,
                             never]
    ");
}

#[test]
fn the_help_of_a_command_can_be_asked_for_as_a_command() {
    let context = Context::new();
    assert_eq!(context.run(&["help"]), context.run(&["--help"]));
    assert_eq!(context.run(&["help", "run"]), context.run(&["run", "--help"]));
}

#[test]
fn what_is_missing_is_named_with_the_flag_to_add() {
    let context = Context::with_example();
    assert_snapshot!(context.run(&[]), @"
    exit: 2
    --- stderr
    JSON records to clean Parquet, one record for every key

    Usage: distil [OPTIONS] <COMMAND>

    Examples:
      distil run incoming/ -o events.parquet --key ts --order-by 'id, data'
      distil schema incoming/ --why
      distil verify events.parquet

    Commands:
      run          Read JSON records, keep one for every key, write Parquet
      replay       Read records that a run set aside, as they are or mended, with the plan of that run
      plan         Print the plan of a run as JSON, for `distil run --plan`
      generate     Write test data with a known answer
      schema       Infer the schema of JSON records from all the data
      head         Print the first rows of an output as JSON lines
      digest       Print the digest of an output: equal rows have equal digests, on any backend
      verify       Check an output against its own footer, and against a reference
      audit        Did every node of a cluster work? Judge what Spark recorded of an application
      backends     List the backends that can be named, or check whether they answer
      emr          Run jobs on clusters of Amazon EMR, which cost money: `distil emr plan` says how much
      trust        Trust a configuration file, which may then start programs and reach addresses
      completions  Print a completion script
      help         Print this message or the help of the given subcommand(s)

    Options:
      -q, --quiet       Print errors and warnings only
      -v, --verbose...  Show the first conflicts and a log (-vv for a debug log)
      -h, --help        Print help
      -V, --version     Print version

    Run `distil COMMAND --help` for all options of a command, and `distil --licenses` for the
    licences of everything that it contains.
    ");
    assert_snapshot!(context.run(&["run"]), @"
    exit: 2
    --- stderr
    error: the source is missing
      help: name files, directories, globs in quotes, or -
    ");
    assert_snapshot!(context.run(&["run", "in.json"]), @"
    exit: 2
    --- stderr
    error: the output is missing
      help: say where the rows go: --output OUT.parquet
    ");
    assert_snapshot!(context.run(&["run", "in.json", "-o", "o.parquet"]), @"
    exit: 2
    --- stderr
    error: the key is missing
      help: name the columns that make two records the same: --key COLS
      help: or compare the whole record: --key '*'
    ");
    assert_snapshot!(context.run(&["plan", "in.json", "-o", "o.parquet"]), @"
    exit: 2
    --- stderr
    error: the key is missing
      help: name the columns that make two records the same: --key COLS
      help: or compare the whole record: --key '*'
    ");
    assert_snapshot!(context.run(&["schema"]), @"
    exit: 2
    --- stderr
    error: no source is given
      help: name a file, a directory, a glob or -
    ");
    assert_snapshot!(context.run(&["generate", "d"]), @"
    exit: 2
    --- stderr
    error: the following required arguments were not provided:
      --files <N>
      --records <N>

    Usage: distil generate --files <N> --records <N> <DIR>

    For more information, try '--help'.
    ");
}

#[test]
fn every_wrong_value_says_what_would_be_right() {
    let context = Context::with_example();
    let run = |flags: &[&str]| {
        context.run(&[&["run", "in.json", "-o", "o.parquet", "--key", "ts"], flags].concat())
    };
    assert_snapshot!(run(&["--keys"]), @"
    exit: 2
    --- stderr
    error: unexpected argument '--keys' found

      tip: a similar argument exists: '--key'

    Usage: distil run --output <OUT> --key <COLS> <SOURCE>...

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["--max-record", "12"]), @"
    exit: 2
    --- stderr
    error: --max-record: `12` is not a size
      help: write a number and a unit: B, KB, MB, GB, TB, KiB, MiB, GiB or TiB
    ");
    assert_snapshot!(run(&["--memory", "1MiB"]), @"
    exit: 2
    --- stderr
    error: a run needs a memory budget of at least 64.0 MiB, not 1.00 MiB
      help: raise it, or leave it out to use 80 % of the available memory: --memory SIZE
    ");
    assert_snapshot!(run(&["--threads", "0"]), @"
    exit: 2
    --- stderr
    error: a run needs at least one thread
    ");
    assert_snapshot!(run(&["--type", "ts=instant"]), @"
    exit: 2
    --- stderr
    error: --type: cannot read the type `instant`: no such type at `instant`
      help: types: boolean, int8 to int64, decimal(p,s), float32, float64, timestamp(ms|us|ns), timestamp(UNIT, 'FORMAT'[, 'ZONE']), epoch(s|ms|us|ns), date, binary, string, json, json(text), list<T>, struct<name: T, ...>
    ");
    assert_snapshot!(run(&["--type", "ts"]), @"
    exit: 2
    --- stderr
    error: --type: `ts` is not NAME=TYPE
      help: write a column and its type, as in ts=timestamp(us)
    ");
    assert_snapshot!(run(&["--schema", "id words"]), @"
    exit: 2
    --- stderr
    error: cannot read the type `id words`: no such type at `words`
      help: types: boolean, int8 to int64, decimal(p,s), float32, float64, timestamp(ms|us|ns), timestamp(UNIT, 'FORMAT'[, 'ZONE']), epoch(s|ms|us|ns), date, binary, string, json, json(text), list<T>, struct<name: T, ...>
    ");
    assert_snapshot!(run(&["--order-by", "id up"]), @"
    exit: 2
    --- stderr
    error: --order-by: cannot read `up` in the order `id up`
      help: write columns separated by commas, each with asc or desc after it, or with `as text` before that
    ");
    assert_snapshot!(run(&["--keep", "any"]), @"
    exit: 2
    --- stderr
    error: --keep: `any` is not `first` or `last`
    ");
    assert_snapshot!(run(&["--shape", "json"]), @"
    exit: 2
    --- stderr
    error: --shape: `json` is not a shape
      help: shapes: auto, lines, concatenated, array, or the path of the array in a document: /records
    ");
    assert_snapshot!(run(&["--compression", "zstd:23"]), @"
    exit: 2
    --- stderr
    error: --compression: `zstd:23` is not a compression
      help: write zstd, zstd:1 to zstd:22, snappy, lz4 or none
    ");
    assert_snapshot!(run(&["--quarantine", "q", "--max-quarantined", "101%"]), @"
    exit: 2
    --- stderr
    error: --max-quarantined: `101%` is not a number of records or a percentage
      help: write a count such as 100, or a share such as 0.1%
    ");
    assert_snapshot!(run(&["--max-file-rows", "2"]), @"
    exit: 2
    --- stderr
    error: a limit of rows or bytes of a file needs a directory as output
      help: write a directory of files: --layout dir
      help: or give the output a name without .parquet
    ");
    assert_snapshot!(run(&["--columns", "id,id"]), @"
    exit: 2
    --- stderr
    error: the column id is chosen twice
    ");
    assert_snapshot!(run(&["--backend", "panda"]), @"
    exit: 2
    --- stderr
    error: there is no backend `panda`
      help: the nearest is pandas; there are: native, pandas
    ");
    assert_snapshot!(run(&["-q", "-v"]), @"
    exit: 2
    --- stderr
    error: the argument '--quiet' cannot be used with '--verbose...'

    Usage: distil run --output <OUT> --key <COLS> --quiet <SOURCE>...

    For more information, try '--help'.
    ");
    assert_eq!(context.names(), ["in.json"]);
}

#[test]
fn a_plan_file_takes_no_flag_that_the_plan_decides() {
    let context = Context::with_example();
    let flags = ["plan", "in.json", "-o", "o.parquet", "--key", "ts"];
    context.write("p.json", context.out(&flags));
    for flag in [
        &["in.json"][..],
        &["--key", "id"],
        &["-o", "x.parquet"],
        &["--order-by", "id"],
        &["--keep", "first"],
        &["--digest"],
        &["--shape", "auto"],
        &["--type", "id=string"],
        &["--quarantine", "q.ndjson"],
        &["--mode", "overwrite"],
    ] {
        let told = context.run(&[&["run", "--plan", "p.json"], flag].concat());
        assert!(told.starts_with("exit: 2\n"), "{flag:?}: {told}");
        assert!(told.contains("'--plan <FILE.json>' cannot be used with"), "{flag:?}: {told}");
    }
    assert_eq!(context.names(), ["in.json", "p.json"]);
    context.out(&["run", "-q", "--plan", "p.json", "--threads", "1", "--memory", "64MiB"]);
    context.write("q.json", "{\"version\": 1}");
    assert_snapshot!(context.run(&["run", "--plan", "q.json"]), @"
    exit: 2
    --- stderr
    error: q.json: the file is not a plan: missing field `sources` at line 1 column 14
    ");
    assert_snapshot!(context.run(&["run", "--plan", "none.json"]), @"
    exit: 3
    --- stderr
    error: none.json: there is no such file
    ");
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_anything_is_read() {
    let context = Context::with_example();
    let run = |output: &str| context.run(&["run", "in.json", "-o", output, "--key", "ts"]);
    assert_snapshot!(run("no/o.parquet"), @"
    exit: 2
    --- stderr
    error: no/o.parquet: the output can't be made: there is no directory no
      output: nothing was written; the output is as it was before
      help: mkdir -p no
    ");
    context.write("d/x.json", "{}");
    assert_snapshot!(context.run(&["run", "d", "-o", "d/o.parquet", "--key", "x"]), @"
    exit: 2
    --- stderr
    error: d/o.parquet: the output lies inside the source d: the next run would read it
      output: nothing was written; the output is as it was before
      help: choose a place outside of all sources
    ");
    assert_snapshot!(run("in.json/o.parquet"), @"
    exit: 2
    --- stderr
    error: in.json/o.parquet: the output can't be made: in.json is not a directory
      output: nothing was written; the output is as it was before
    ");
}

#[test]
fn urls_are_refused_by_their_scheme_wherever_they_are_given() {
    let context = Context::with_example();
    let run = |source, output| context.run(&["run", source, "-o", output, "--key", "ts"]);
    assert_snapshot!(run("ftp://name/x.json", "o.parquet"), @"
    exit: 2
    --- stderr
    error: ftp://name/x.json: this distil can't read or write ftp://
      output: nothing was written; the output is as it was before
      help: read it from standard input, with the source -: curl -sSfL ftp://name/x.json | distil run - ...
    ");
    assert_snapshot!(run("sftp://example.org/x.json", "o.parquet"), @"
    exit: 2
    --- stderr
    error: sftp://example.org/x.json: this distil can't read or write sftp://
      output: nothing was written; the output is as it was before
      help: read it from standard input, with the source -: curl -sSfL sftp://example.org/x.json | distil run - ...
    ");
    assert_snapshot!(run("in.json", "ftp://name/o.parquet"), @"
    exit: 2
    --- stderr
    error: ftp://name/o.parquet: this distil can't read or write ftp://
      output: nothing was written; the output is as it was before
      help: write to a path, and copy the output to its place: curl -T out.parquet ftp://name/o.parquet
    ");
    for arguments in [
        &["run", "in.json", "-o", "o.parquet", "-k", "ts", "--report", "ftp://b/r.json"][..],
        &["run", "in.json", "-o", "o.parquet", "-k", "ts", "--quarantine", "ftp://b/q.ndjson"],
        &["run", "in.json", "-o", "o.parquet", "-k", "ts", "--schema", "ftp://b/s.json"],
        &["run", "--plan", "ftp://b/p.json"],
        &["schema", "ftp://b/*.json"],
        &["head", "ftp://b/o.parquet"],
        &["verify", "ftp://b/o.parquet"],
        &["generate", "ftp://b/d", "--files", "1", "--records", "1"],
    ] {
        let told = context.run(arguments);
        assert!(told.contains("this distil can't read or write ftp://"), "{told}");
        assert!(told.starts_with("exit: 2") && !told.contains("mkdir"), "{told}");
    }
    // No store is a place for these.
    for place in ["ftp://b/t", "hdfs://b/t", "s3://b/t"] {
        let told =
            context.run(&["run", "in.json", "-o", "o.parquet", "-k", "ts", "--temp-dir", place]);
        assert!(told.contains("temporary files lie on a disk of this machine"), "{told}");
    }
    assert_eq!(context.names(), ["in.json"]);
}

#[test]
fn a_key_that_nobody_has_names_the_nearest_columns() {
    let context = Context::with_example();
    assert_snapshot!(context.run(&["run", "in.json", "-o", "o.parquet", "--key", "tss"]), @"
    exit: 1
    --- stderr
    error: no record has the column tss
      output: nothing was written; the output is as it was before
      help: choose one of the nearest columns: ts, id, data
    ");
    context.write("dot.ndjson", "{\"a.b\":1}\n");
    assert_snapshot!(context.run(&["run", "dot.ndjson", "-o", "o.parquet", "--key", "a.b"]), @r#"
    exit: 1
    --- stderr
    error: no record has the column a.b
      output: nothing was written; the output is as it was before
      help: quote a name with a dot, which nests otherwise: the column `a.b` is written "a.b"
    "#);
    // Who asks for the last step of a path means the path.
    context.write("nested.ndjson", "{\"user\":{\"id\":1,\"name\":\"x\"},\"v\":1}\n");
    for key in ["id", "user_id", "ID"] {
        let told = context.run(&["run", "nested.ndjson", "-o", "o.parquet", "--key", key]);
        assert!(told.contains("nearest columns: user.id, "), "{told}");
    }
}

#[test]
fn the_licences_of_everything_in_it_are_printed() {
    let text = Context::new().out(&["--licenses"]);
    for part in ["arrow-array ", "clap ", "Permission is hereby granted", "Apache License"] {
        assert!(text.contains(part), "{part}");
    }
}
