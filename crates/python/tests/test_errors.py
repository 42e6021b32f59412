"""Each kind of error has its exception, which knows all that the command prints."""

import json
import multiprocessing
import os
import pickle

import pytest

import distil
from distil import _native


def caught(kind, call):
    with pytest.raises(distil.DistilError) as info:
        call()
    error = info.value
    assert type(error) is kind, repr(error)
    return error


def test_bad_records_are_listed_and_the_advice_is_an_argument(write):
    write("in.ndjson", '{"id":1}\n{"id":}\n[]\n')
    error = caught(distil.BadRecordsError, lambda: distil.run("in.ndjson", "o.parquet", key="id"))
    assert str(error) == "2 bad records" and error.code == "bad_records" and error.exit_status == 1
    assert [(bad.path, bad.offset, bad.reason) for bad in error.records] == [
        ("in.ndjson", 9, "invalid_json"),
        ("in.ndjson", 17, "not_an_object"),
    ]
    assert isinstance(error, ValueError) and not error.retryable
    assert error.output == "nothing was written; the output is as it was before"
    [hint] = [hint for hint in error.hints if hint.option == "quarantine"]
    assert str(hint).startswith("set bad records aside and go on: quarantine=")
    assert f"help: {hint}" in error.__notes__ and f"output: {error.output}" in error.__notes__
    assert error.report.status == "failed" and error.report.to_dict()["error"]["code"] == error.code
    assert str(error.report) == "failed: 2 bad records"
    assert "in.ndjson line 2, byte 15" in "\n".join(error.details)
    many = lambda: distil.run("in.ndjson", "o.parquet", key="id", quarantine="b", max_quarantined=1)  # noqa: E731
    assert caught(distil.BadRecordsError, many).code == "too_many_bad_records"


def test_a_missing_column_names_the_nearest(write):
    write("in.ndjson", '{"user":{"id":1},"uid":2}\n')
    error = caught(
        distil.ColumnNotFoundError,
        lambda: distil.read_json("in.ndjson").drop_duplicates("idd").count(),
    )
    assert error.column == "idd" and "user.id" in error.nearest and error.code == "missing_column"


def test_conflicts_are_rows(write):
    write("in.ndjson", '{"id":1,"v":1}\n{"id":1,"v":2}\n')
    frame = distil.read_json("in.ndjson").drop_duplicates("id", on_conflict="error")
    error = caught(distil.ConflictError, lambda: frame.write_parquet("o.parquet"))
    assert [(c.kept, c.dropped) for c in error.conflicts] == [
        ({"id": 1, "v": 1}, {"id": 1, "v": 2})
    ]


def test_an_output_that_exists_is_a_file_exists_error(write, tmp_path):
    write("o.parquet", "")
    frame = distil.from_records([{"a": 1}])
    error = caught(distil.OutputExistsError, lambda: frame.write_parquet("o.parquet"))
    assert (
        isinstance(error, FileExistsError) and error.exit_status == 5 and error.path == "o.parquet"
    )
    assert 'mode="overwrite"' in "".join(error.__notes__)
    assert frame.write_parquet("o.parquet", mode="overwrite").rows == 1


def test_wrong_calls_are_usage_errors_and_name_the_option():
    for call, told in [
        (lambda: distil.read_json("in", recrods="/a").count(), "there is no option recrods"),
        (lambda: distil.run("in", "o.parquet", key="a", compression="zip"), "compression: "),
        (lambda: distil.Session(threads=0), "at least one thread"),
        (lambda: distil.Session(memory="1KiB"), "a memory budget of at least"),
        (lambda: distil.Session("nowhere"), "there is no backend `nowhere`"),
        (
            lambda: distil.Session(config={"jobs": {"a": {"kye": "b"}}}),
            "there is no option jobs.a.kye",
        ),
        (lambda: distil.from_records([{"a": 1}]).drop_duplicates([]), "the key has no column"),
        (lambda: distil.from_records([{"a": 1}]).head(-1), "-1 rows"),
        (
            lambda: distil.Session().run("in", "o", key="a", backend="pandas"),
            "a session has its backend",
        ),
        (
            lambda: distil.generate("d", files=1, records=1, date="May 1"),
            "date is a day such as 20190423",
        ),
    ]:
        error = caught(distil.UsageError, call)
        assert told in str(error) and error.exit_status == 2 and isinstance(error, ValueError)
    error = caught(distil.UsageError, lambda: distil.read_json("in", recrods="/a").count())
    assert "records" in str(error.hints[0])


def test_what_the_machine_refuses_can_be_tried_again(tmp_path, write):
    write("in.ndjson", '{"id":1}\n')
    missing = caught(distil.InputError, lambda: distil.read_json("nowhere").count())
    assert missing.code == "not_found" and not missing.retryable
    frame = distil.from_records([{"a": 1}])
    error = caught(distil.EnvironmentFailure, lambda: frame.write_parquet("/proc/o.parquet"))
    assert isinstance(error, OSError) and error.exit_status == 3 and error.retryable


def test_a_full_disk_is_told_also_of_records_that_are_kept(python):
    told = python("""
        import distil, resource, signal
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        try:
            distil.Session(temp_dir=".").from_records({"a": n} for n in range(100_000))
        except distil.EnvironmentFailure as error:
            print(error.retryable, error.exit_status, error, error.hints[0])
    """)
    assert told.stdout.startswith("True 3 cannot keep the records: ")
    assert told.stdout.endswith(" keep temporary files elsewhere: temp_dir=...\n")


def test_what_records_raise_themselves_passes(tmp_path):
    def records():
        yield {"a": 1}
        raise FileNotFoundError("of the program")

    with pytest.raises(FileNotFoundError, match="of the program") as info:
        distil.Session(temp_dir=tmp_path).from_records(records())
    assert not isinstance(info.value, distil.DistilError)
    del info
    assert [path for path in tmp_path.iterdir() if "records" in path.name] == []


def test_a_path_is_text():
    with pytest.raises(TypeError, match="a path is text"):
        distil.read_json(b"in")


def test_verification_names_what_differs(write):
    distil.from_records([{"a": 1}]).write_parquet("a.parquet")
    distil.from_records([{"a": 2}]).write_parquet("b.parquet")
    error = caught(distil.VerificationError, lambda: distil.verify("a.parquet", "b.parquet"))
    assert isinstance(error, distil.InputError) and "a.parquet" in str(error) + "".join(
        error.details
    )
    assert "verify" not in str(distil.verify("a.parquet"))


def test_a_lock_is_another_try(tmp_path, write):
    distil.from_records([{"a": 1}]).write_parquet("o.parquet")
    begun, done = multiprocessing.Event(), multiprocessing.Event()

    def hold(progress):
        begun.set()
        done.wait(60)

    def other():
        session = distil.Session(progress=hold, threads=1)
        session.from_records({"a": n} for n in range(200_000)).write_parquet(
            "o.parquet", mode="overwrite"
        )

    process = multiprocessing.get_context("fork").Process(target=other)
    process.start()
    assert begun.wait(60)
    try:
        error = caught(
            distil.OutputLockedError,
            lambda: distil.from_records([{"a": 1}]).write_parquet("o.parquet", mode="overwrite"),
        )
        assert error.retryable and error.code == "locked" and isinstance(error, FileExistsError)
    finally:
        done.set()
        process.join()
    assert process.exitcode == 0


def test_a_place_that_can_take_no_report_is_refused_before_the_run(write, tmp_path):
    write("in.ndjson", '{"id":1}\n')
    os.mkfifo(tmp_path / "pipe.json")
    error = caught(
        distil.UsageError,
        lambda: distil.run("in.ndjson", "o.parquet", key="id", report="pipe.json"),
    )
    assert not (tmp_path / "o.parquet").exists() and error.output


def test_a_report_that_is_not_written_leaves_the_output_and_says_so(python):
    """No file may be larger than the output, which the report of many inputs is."""
    told = python("""
        import distil, os, resource
        os.mkdir("in")
        for number in range(200):
            with open(f"in/{number}.ndjson", "w") as file:
                file.write('{"id":1}\\n')
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        try:
            distil.run("in", "o.parquet", key="id", report="r.json")
        except distil.AfterCommitError as error:
            print(error.code, error.exit_status, error.retryable, error.report.rows, error.output)
        print(sorted(os.listdir(".")), distil.read_parquet("o.parquet").count())
    """)
    first, second = told.stdout.splitlines()
    assert first == "after_commit 4 False 1 the output is committed, but there is no report of it"
    assert second == "['in', 'o.parquet'] 1"


def test_a_panic_is_an_internal_error():
    with pytest.raises(
        distil.InternalError, match="an internal check failed: a panic that was asked for"
    ) as info:
        _native.panic()
    assert info.value.exit_status == 70 and isinstance(info.value, RuntimeError)
    assert "report it" in str(info.value.hints[0])


def test_errors_go_between_processes_whole(write):
    write("in.ndjson", '{"id":}\n')
    error = caught(distil.BadRecordsError, lambda: distil.run("in.ndjson", "o.parquet", key="id"))
    again = pickle.loads(pickle.dumps(error))
    assert (
        type(again) is type(error)
        and str(again) == str(error)
        and again.__notes__ == error.__notes__
    )
    assert again.records == error.records and again.report == error.report


def test_hints_are_spelled_as_python_does():
    assert str(distil.Hint("replace it", "mode", "overwrite")) == 'replace it: mode="overwrite"'
    assert (
        str(distil.Hint("read it", "types", "ts=timestamp(us)"))
        == 'read it: types={"ts": "timestamp(us)"}'
    )
    assert str(distil.Hint("take them", "all_files", "true")) == "take them: all_files=True"
    assert (
        str(distil.Hint("keep them elsewhere", "temp_dir")) == "keep them elsewhere: temp_dir=..."
    )
    assert str(distil.Hint("mend the file")) == "mend the file"
    zoned = str(distil.Hint("read it", "types", "ts=timestamp(us, '%d', 'UTC')"))
    assert eval(zoned.split("types=")[1]) == {"ts": "timestamp(us, '%d', 'UTC')"}


def test_the_exceptions_say_what_the_command_says(write, python):
    write("in.ndjson", '{"id":1}\n{"id":}\n')
    error = caught(distil.BadRecordsError, lambda: distil.run("in.ndjson", "o.parquet", key="id"))
    command = "import sys; from distil.__main__ import main; sys.argv[1:] = {}; sys.exit(main())"
    arguments = json.dumps(["run", "in.ndjson", "-o", "o.parquet", "-k", "id"])
    told = python(command.format(arguments), status=1).stderr.splitlines()
    assert told[0] == f"error: {error}"
    assert [line[2:] for line in told[1 : 1 + len(error.details)]] == error.details
    assert f"  output: {error.output}" in told
