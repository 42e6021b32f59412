//! Which files a plan reads, on a real file system: links, pipes and names that are no text.

#![allow(clippy::unwrap_used, reason = "a test helper outside of a test function may panic, too")]
#![allow(clippy::disallowed_methods, reason = "the tests make what the file system holds")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use distil_job::discover::{Discovery, discover};
use distil_job::places::{Place, check_places};
use distil_plan::{Error, Fault, Result};
use distil_storage::Local;

struct Tree {
    root: tempfile::TempDir,
}

impl Tree {
    fn new(files: &[&str]) -> Self {
        let tree = Self { root: tempfile::tempdir().unwrap() };
        for file in files {
            tree.put(file);
        }
        tree
    }

    fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(path)
    }

    fn put(&self, path: impl AsRef<Path>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "{}").unwrap();
    }

    fn link(&self, to: &str, path: &str) {
        symlink(to, self.path(path)).unwrap();
    }

    fn discover(&self, sources: &[&str]) -> Result<Discovery> {
        let at = |source: &&str| match *source {
            "-" => "-".to_owned(),
            source => format!("{}/{source}", self.root.path().display()),
        };
        discover(&Local, &sources.iter().map(at).collect::<Vec<_>>(), false)
    }

    /// The paths found, below the root.
    fn found(&self, sources: &[&str]) -> Vec<String> {
        let discovery = self.discover(sources).unwrap();
        discovery
            .inputs
            .iter()
            .map(|found| {
                let path = found.path.strip_prefix(self.root.path()).unwrap_or(&found.path);
                path.display().to_string()
            })
            .collect()
    }

    fn error(&self, sources: &[&str]) -> Error {
        self.discover(sources).unwrap_err()
    }
}

#[test]
fn inputs_are_ordered_by_the_bytes_of_their_paths_and_hidden_names_are_skipped() {
    let tree = Tree::new(&[
        "in/b.json",
        "in/a/x.json",
        "in/a.json",
        "in/a-b.json",
        "in/.hidden",
        "in/_meta/x.json",
        "in/a/_x.json",
        "in/B.json",
        "in/.git/x.json",
    ]);
    let all = ["in/B.json", "in/a-b.json", "in/a.json", "in/a/x.json", "in/b.json"];
    assert_eq!(tree.found(&["in"]), all);
    assert_eq!(tree.found(&["in/b.json", "in"]), all);
    assert_eq!(
        tree.found(&["in/_meta", "in/.hidden", "in/a/_x.json"]),
        ["in/.hidden", "in/_meta/x.json", "in/a/_x.json",]
    );
}

#[test]
fn globs_stay_within_their_level_unless_they_say_otherwise() {
    let tree = Tree::new(&[
        "in/1.json",
        "in/2.json",
        "in/2.txt",
        "in/x/3.json",
        "in/x/y/4.json",
        "in/.h/5.json",
        "in/_6.json",
        "in/x/é.json",
        "in/empty/.keep",
    ]);
    let found = |glob| tree.found(&[glob]);
    assert_eq!(found("in/*.json"), ["in/1.json", "in/2.json"]);
    assert_eq!(found("in/[2-9].*"), ["in/2.json", "in/2.txt"]);
    assert_eq!(found("in/{1,2}.json"), ["in/1.json", "in/2.json"]);
    assert_eq!(found("in/?.txt"), ["in/2.txt"]);
    assert_eq!(found("in/*/*.json"), ["in/x/3.json", "in/x/é.json"]);
    assert_eq!(found("in/{1,x/3}.json"), ["in/1.json", "in/x/3.json"]);
    assert_eq!(
        found("in/**/*.json"),
        ["in/1.json", "in/2.json", "in/x/3.json", "in/x/y/4.json", "in/x/é.json"]
    );
    assert_eq!(found("in/**"), found("in"));
    assert_eq!(found("i*/x"), ["in/x/3.json", "in/x/y/4.json", "in/x/é.json"]);
    assert_eq!(found("in/emp*"), [""; 0]);
}

#[test]
fn a_name_that_exists_is_no_glob() {
    let tree = Tree::new(&["in/a[1].json", "in/a1.json"]);
    assert_eq!(tree.found(&["in/a[1].json"]), ["in/a[1].json"]);
    fs::remove_file(tree.path("in/a[1].json")).unwrap();
    assert_eq!(tree.found(&["in/a[1].json"]), ["in/a1.json"]);
}

#[test]
fn links_are_followed_loops_end_and_a_file_is_read_once_under_its_first_path() {
    let tree = Tree::new(&["in/b/1.json", "in/b/c/2.json", "far/3.json"]);
    tree.link("..", "in/b/c/up");
    tree.link("../far", "in/far");
    tree.link("b/1.json", "in/a.json");
    tree.link("loop", "in/b/loop");
    fs::hard_link(tree.path("in/b/c/2.json"), tree.path("in/z.json")).unwrap();
    // The link to itself can't be looked at: an error of the file system, which names it.
    let error = tree.error(&["in"]);
    assert_eq!(error.fault, Fault::Environment);
    assert!(error.to_string().contains("in/b/loop"), "{error}");
    fs::remove_file(tree.path("in/b/loop")).unwrap();
    assert_eq!(tree.found(&["in"]), ["in/a.json", "in/b/c/2.json", "in/far/3.json"]);
    assert_eq!(
        tree.found(&["in/b", "far", "in/far"]),
        ["far/3.json", "in/b/1.json", "in/b/c/2.json"]
    );
}

/// No file has such a name, but a pattern may be long.
#[test]
fn a_glob_may_be_longer_than_any_name_and_any_path() {
    let tree = Tree::new(&["in/7.json", "in/8.json"]);
    let names =
        |count: usize| (0..count).map(|i| format!("{i}.json")).collect::<Vec<_>>().join(",");
    for count in [8, 100, 2_000] {
        assert_eq!(tree.found(&[&format!("in/{{{}}}", names(count))])[0], "in/7.json");
    }
    let levels = "[i]n/../".repeat(600) + "in/7.json";
    let error = tree.discover(&[&levels]).unwrap_err();
    assert_eq!(error.fault, Fault::Input, "{error}");
}

#[test]
fn a_glob_follows_links_as_far_as_it_says_and_through_loops_once() {
    let tree = Tree::new(&["in/d/1.json", "in/e/2.json"]);
    tree.link("../e", "in/d/to_e");
    tree.link("../d", "in/e/to_d");
    assert_eq!(tree.found(&["in/**/*.json"]), ["in/d/1.json", "in/d/to_e/2.json"]);
    // The first way to a place is no reason to miss what another place of the glob finds there.
    assert_eq!(tree.found(&["in/**/to_d/1.json"]), ["in/d/to_e/to_d/1.json"]);
    assert_eq!(tree.found(&["in/e/*/1.json"]), ["in/e/to_d/1.json"]);
    assert_eq!(tree.found(&["in/e/**/to_d/*/2.json"]), ["in/e/to_d/to_e/2.json"]);
}

#[test]
fn a_link_that_leads_nowhere_is_warned_of_and_an_error_when_it_is_named() {
    let tree = Tree::new(&["in/1.json"]);
    tree.link("gone", "in/2.json");
    assert_eq!(tree.found(&["in"]), ["in/1.json"]);
    let warnings = tree.discover(&["in"]).unwrap().warnings;
    assert!(warnings[0].ends_with("in/2.json leads nowhere and is skipped"), "{warnings:?}");
    assert_eq!(tree.error(&["in/2.json"]).fault, Fault::Input);
}

#[test]
fn names_that_are_no_text_are_found() {
    let tree = Tree::new(&["in/a.json"]);
    let name = OsStr::from_bytes(b"\xff\xfe.json");
    tree.put(Path::new("in").join(name));
    for source in ["in", "in/*.json"] {
        let inputs = tree.discover(&[source]).unwrap().inputs;
        assert_eq!(inputs.len(), 2);
        assert_eq!(inputs[1].path.file_name().unwrap(), name);
        assert_eq!(inputs[1].bytes, Some(2));
    }
}

#[test]
fn pipes_and_devices_are_read_only_when_they_are_named() {
    let tree = Tree::new(&["in/1.json"]);
    let status = std::process::Command::new("mkfifo").arg(tree.path("in/pipe")).status();
    assert!(status.unwrap().success());
    assert_eq!(tree.found(&["in"]), ["in/1.json"]);
    assert_eq!(tree.error(&["in/p*"]).fault, Fault::Input);
    let inputs = tree.discover(&["in/pipe", "-", "-"]).unwrap().inputs;
    let paths: Vec<_> = inputs.iter().map(|found| (found.path.clone(), found.bytes)).collect();
    assert_eq!(paths, [("-".into(), None), (tree.path("in/pipe"), None)]);
    let socket = tree.path("in/socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let error = tree.error(&["in/socket"]);
    assert_eq!(
        (error.fault, error.place.unwrap().path),
        (Fault::Input, socket.display().to_string())
    );
}

#[test]
fn what_names_nothing_is_an_error_that_says_what_was_looked_at() {
    let tree = Tree::new(&["in/1.json", "in/2.json", "in/_3.txt"]);
    let error = tree.error(&["in", "nowhere"]);
    assert_eq!(error.fault, Fault::Input);
    assert!(error.to_string().ends_with("/nowhere: there is no such file or directory"), "{error}");
    let error = tree.error(&["in/*.txt"]);
    assert_eq!(error.fault, Fault::Input);
    assert!(error.what.contains("2 names in"), "{error}");
    assert!(
        error.what.ends_with("1 more that begin with . or _ or are special files were skipped"),
        "{error}"
    );
    let error = tree.error(&["nowhere/*.txt"]);
    assert!(error.what.contains("there is no directory"), "{error}");
    assert_eq!(tree.error(&["in/{a"]).fault, Fault::Usage);
}

#[test]
fn an_empty_directory_is_no_records_and_one_of_hidden_names_is_warned_of() {
    let tree = Tree::new(&["hidden/_a", "hidden/.b"]);
    fs::create_dir(tree.path("empty")).unwrap();
    let empty = tree.discover(&["empty"]).unwrap();
    assert!(empty.inputs.is_empty() && empty.warnings.is_empty());
    let hidden = tree.discover(&["hidden"]).unwrap();
    assert!(hidden.inputs.is_empty());
    assert!(hidden.warnings[0].contains("2 names were skipped"), "{:?}", hidden.warnings);
}

fn check(tree: &Tree, sources: &[&str], output: &str, is_dir: bool) -> Option<String> {
    let path = tree.path(output);
    let place = Place::target("output", &path, is_dir);
    let discovery = tree.discover(sources).unwrap();
    check_places(&Local, &discovery, &[place]).err().map(|error| {
        assert_eq!(error.fault, Fault::Usage);
        assert_eq!(error.place.unwrap().path, path.display().to_string());
        error.what.replace(&format!("{}/", tree.root.path().display()), "")
    })
}

#[test]
fn no_output_lies_in_a_source_and_no_source_in_the_output() {
    let tree = Tree::new(&["in/1.json", "in/x/2.json", "out/old.json", "other/3.json"]);
    tree.link("in", "alias");
    let inside =
        Some("the output lies inside the source in: the next run would read it".to_owned());
    assert_eq!(check(&tree, &["in"], "in/out.parquet", false), inside);
    assert_eq!(check(&tree, &["in"], "in/x/out", true), inside);
    assert_eq!(check(&tree, &["in"], "in/not/yet/there/out", true), inside);
    assert_eq!(check(&tree, &["in"], "alias/x/out", true), inside);
    assert_eq!(check(&tree, &["in"], "in/../other/out", true), None);
    assert_eq!(check(&tree, &["in"], "out.parquet", false), None);
    assert_eq!(check(&tree, &["in"], "in.parquet", false), None);
    assert!(check(&tree, &["alias"], "in/out", true).unwrap().contains("inside the source alias"));
    // A glob covers what it matches, not all that lies beside it.
    assert_eq!(check(&tree, &["in/*.json"], "in/out.parquet", false), None);
    assert!(check(&tree, &["in/*.json"], "in/out.json", false).is_some());
    assert!(check(&tree, &["in/**"], "in/x/out.parquet", false).is_some());
    assert!(check(&tree, &["in/*"], "in/x/out.parquet", false).is_some());
    assert_eq!(
        check(&tree, &["in/1.json"], "in/1.json", false).unwrap(),
        "the output is also a source"
    );
    assert_eq!(
        check(&tree, &["out/old.json"], "out", true).unwrap(),
        "the source out/old.json lies inside the output, which would be replaced as a whole"
    );
}

#[test]
fn an_output_that_replaces_inputs_may_be_one_or_hold_some() {
    let tree = Tree::new(&["out/part-00000.parquet", "a.parquet"]);
    for (source, output, is_dir) in
        [("a.parquet", "a.parquet", false), ("out/part-00000.parquet", "out", true)]
    {
        let path = tree.path(output);
        let place = Place::target("output", &path, is_dir);
        let discovery = tree.discover(&[source]).unwrap();
        assert!(check_places(&Local, &discovery, &[place]).is_err());
        let place = Place { replaces_inputs: true, ..place };
        check_places(&Local, &discovery, &[place]).unwrap();
    }
}

#[test]
fn targets_lie_apart() {
    let tree = Tree::new(&["in/1.json"]);
    let discovery = tree.discover(&["in"]).unwrap();
    let (out, same) = (tree.path("out"), tree.path("in/../out"));
    let within = tree.path("out/q.ndjson");
    let error = |second: &Path| {
        let places =
            [Place::target("output", &out, true), Place::target("quarantine file", second, false)];
        check_places(&Local, &discovery, &places).unwrap_err().what
    };
    assert_eq!(error(&same), "the output and the quarantine file are the same file");
    assert_eq!(error(&within), "the output and the quarantine file lie one inside the other");
    let temp =
        Place { is_target: false, ..Place::target("temporary directory", tree.root.path(), true) };
    check_places(&Local, &discovery, &[Place::target("output", &out, true), temp]).unwrap();
}
