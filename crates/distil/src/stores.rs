//! Stores by scheme: from a location to the storage that knows it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_plan::{Code, Error, Result, scheme};
use distil_storage::{Disk, InputFile, Local, Metadata, OutputFile, Storage};

/// All stores of a session. It is a storage itself, which hands every call on to the store of the path, so
/// that one plan can read from one store and write to another. A path without a scheme lies on the
/// file system; a URL of a scheme that no store knows is refused by its name.
#[derive(Clone)]
pub struct Stores {
    disk: Arc<dyn Storage>,
    by_scheme: BTreeMap<String, Arc<dyn Storage>>,
}

impl Default for Stores {
    /// The file system of this machine alone.
    fn default() -> Self {
        Self::on(Arc::new(Local))
    }
}

impl Stores {
    /// Paths lie in this storage.
    pub fn on(disk: Arc<dyn Storage>) -> Self {
        Self { disk, by_scheme: BTreeMap::new() }
    }

    /// URLs of this scheme lie in this storage, which is asked for them as a whole.
    #[must_use]
    pub fn with(mut self, scheme: &str, store: Arc<dyn Storage>) -> Self {
        self.by_scheme.insert(scheme.to_ascii_lowercase(), store);
        self
    }

    /// The store of a path.
    ///
    /// # Errors
    /// A usage error for a scheme that no store knows; the advice is for reading.
    pub fn of(&self, path: &Path) -> Result<&dyn Storage> {
        self.find(path).map_err(|scheme| {
            let fetch = match scheme {
                "s3" | "s3a" | "s3n" => "aws s3 cp",
                "gs" | "gcs" => "gcloud storage cat",
                "hdfs" => "hdfs dfs -cat",
                "http" | "https" => "curl -sSfL",
                _ => return unknown(path, scheme),
            };
            let url = path.to_string_lossy();
            let url = shlex::try_quote(&url).unwrap_or_else(|_| url.clone());
            let to = if fetch == "aws s3 cp" { " -" } else { "" };
            unknown(path, scheme).help(format!(
                "read it from standard input, with the source -: {fetch} {url}{to} | distil run - ..."
            ))
        })
    }

    /// The store of a path that is to be written.
    fn target(&self, path: &Path) -> Result<&dyn Storage> {
        self.find(path).map_err(|scheme| {
            let copy = match scheme {
                "s3" | "s3a" | "s3n" => "aws s3 cp",
                "gs" | "gcs" => "gcloud storage cp",
                "hdfs" => "hdfs dfs -put",
                _ => {
                    return unknown(path, scheme)
                        .help("write to a path, and copy the output to its place");
                }
            };
            let url = path.to_string_lossy();
            let url = shlex::try_quote(&url).unwrap_or_else(|_| url.clone());
            unknown(path, scheme).help(format!(
                "write to a path, and copy the output to its place: {copy} out.parquet {url}"
            ))
        })
    }

    fn find<'p>(&self, path: &'p Path) -> Result<&dyn Storage, &'p str> {
        let Some(scheme) = scheme(path) else { return Ok(&*self.disk) };
        let store = self.by_scheme.get(&scheme.to_ascii_lowercase());
        store.map(|store| &**store).ok_or(scheme)
    }
}

fn unknown(path: &Path, scheme: &str) -> Error {
    let is_file = scheme.eq_ignore_ascii_case("file");
    let what = match is_file {
        true => "distil takes paths, not file:// URLs".to_owned(),
        false => format!("distil can't read or write {scheme}:// yet"),
    };
    let error = Error::usage(what).coded(Code::UnknownScheme).at(path.to_string_lossy(), None);
    if is_file { error.help("give the path alone, without file://") } else { error }
}

impl Storage for Stores {
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        self.of(path)?.metadata(path)
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        self.of(directory)?.list(directory)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn InputFile>> {
        self.of(path)?.open(path)
    }

    fn create_new(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
        self.target(path)?.create_new(path)
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        self.target(path)?.remove_file(path)
    }

    fn write_back(&self, path: &Path) {
        if let Ok(store) = self.find(path) {
            store.write_back(path);
        }
    }

    fn canonical(&self, path: &Path) -> Result<PathBuf> {
        self.of(path)?.canonical(path)
    }

    fn disk(&self, path: &Path) -> Result<&dyn Disk> {
        self.target(path)?.disk(path)
    }
}

#[cfg(test)]
mod tests {
    use distil_storage::Memory;

    use super::*;

    #[test]
    fn a_path_is_on_the_disk_and_a_url_in_the_store_of_its_scheme() {
        let (disk, store) = (Memory::new(), Memory::new());
        disk.put("/a", b"disk");
        store.put("mem://a", b"store");
        let stores = Stores::on(Arc::new(disk)).with("mem", Arc::new(store));
        let size =
            |path: &str| stores.metadata(Path::new(path)).unwrap().map(|found| found.stamp.size);
        assert_eq!([size("/a"), size("mem://a"), size("MEM://a")], [Some(4), Some(5), None]);
        let text = |path: &str| {
            let error = stores.metadata(Path::new(path)).unwrap_err();
            assert_eq!(error.code, Code::UnknownScheme);
            let hints: Vec<String> = error.hints.iter().map(ToString::to_string).collect();
            format!("{error} | {}", hints.join(" | "))
        };
        assert_eq!(
            text("s3://b/my x.json"),
            "s3://b/my x.json: distil can't read or write s3:// yet | read it from standard \
             input, with the source -: aws s3 cp 's3://b/my x.json' - | distil run - ..."
        );
        assert_eq!(
            text("file:///tmp/a"),
            "file:///tmp/a: distil takes paths, not file:// URLs | give the path alone, \
             without file://"
        );
        assert!(text("ftp://x").ends_with("yet | "));
        let error = stores.disk(Path::new("gs://b/out.parquet")).err().unwrap();
        assert_eq!(
            error.hints[0].text,
            "write to a path, and copy the output to its place: gcloud storage cp out.parquet \
             gs://b/out.parquet"
        );
    }
}
