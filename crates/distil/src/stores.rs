//! Stores by scheme: from a location to the storage that knows it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_plan::{Code, Error, Result, hides, local_path, scheme, without_secrets};
use distil_storage::{
    Disk, InputFile, Known, Limits, Local, Metadata, Objects, OutputFile, Storage,
};

/// All stores of a session. It is a storage itself, which hands every call on to the store of the path, so
/// that one plan can read from one store and write to another. A path without a scheme lies on the
/// file system; a URL of a scheme that no store knows is refused by its name.
#[derive(Clone)]
pub struct Stores {
    disk: Arc<dyn Storage>,
    by_scheme: BTreeMap<String, Arc<dyn Storage>>,
}

impl Default for Stores {
    /// The file system of this machine, and with the feature `cloud` the stores of the clouds.
    fn default() -> Self {
        let stores = Self::on(Arc::new(Local));
        #[cfg(feature = "cloud")]
        let stores = {
            let cloud: Arc<dyn Storage> = Arc::new(distil_cloud::Cloud::default());
            distil_cloud::Cloud::schemes()
                .fold(stores, |stores, scheme| stores.with(scheme, Arc::clone(&cloud)))
                .with("hdfs", Arc::new(distil_hdfs::HdfsStore::default()))
        };
        stores
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
                "http" | "https" | "ftp" | "sftp" => "curl -sSfL",
                _ => return unknown(path, scheme),
            };
            // A link without its secrets would fetch nothing, and with them it is not shown.
            let url = path.to_string_lossy();
            let is_signed = hides(&url) || without_secrets(&url).is_some();
            let url = if is_signed { "URL".into() } else { url };
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
                "ftp" | "sftp" => "curl -T",
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

/// A URL of the scheme `file` as its path, anything else as it is.
fn local(path: &Path) -> Cow<'_, Path> {
    local_path(path).map_or(Cow::Borrowed(path), Cow::Owned)
}

fn unknown(path: &Path, scheme: &str) -> Error {
    let is_file = scheme.eq_ignore_ascii_case("file");
    let what = match is_file {
        true => "a URL of a file has three slashes, and names no other machine".to_owned(),
        false => format!("this distil can't read or write {scheme}://"),
    };
    let error = Error::usage(what).coded(Code::UnknownScheme).at(path.to_string_lossy(), None);
    match scheme {
        _ if is_file => error.help("write file:///PATH, or the path alone"),
        #[cfg(not(feature = "cloud"))]
        "s3" | "s3a" | "s3n" | "gs" | "az" | "azure" | "abfs" | "abfss" | "hdfs" | "http"
        | "https" => {
            error.help("build it in: cargo build --release -p distil-cli --features cloud")
        }
        _ => error,
    }
}

impl Storage for Stores {
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        let path = &*local(path);
        self.of(path)?.metadata(path)
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        let directory = &*local(directory);
        self.of(directory)?.list(directory)
    }

    fn entries(&self, directory: &Path) -> Result<Vec<(PathBuf, Option<Metadata>)>> {
        let directory = &*local(directory);
        self.of(directory)?.entries(directory)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn InputFile>> {
        let path = &*local(path);
        self.of(path)?.open(path)
    }

    fn open_known(&self, path: &Path, known: Known) -> Result<Box<dyn InputFile>> {
        let path = &*local(path);
        self.of(path)?.open_known(path, known)
    }

    fn expect(&self, path: &Path, known: Known, length: u64) {
        if let Ok(store) = self.find(path) {
            store.expect(path, known, length);
        }
    }

    fn within(&self, limits: &Limits) -> Option<Arc<dyn Storage>> {
        let mut by_scheme = self.by_scheme.clone();
        for (scheme, store) in &self.by_scheme {
            // One store may know several schemes, and has one memory for all of them.
            let other = self.by_scheme.iter().find(|(_, other)| Arc::ptr_eq(store, other));
            let known = other.filter(|(other, _)| *other < scheme).map(|(other, _)| other);
            let limited = match known {
                Some(known) => by_scheme.get(known).cloned(),
                None => store.within(limits),
            };
            if let Some(limited) = limited {
                by_scheme.insert(scheme.clone(), limited);
            }
        }
        let disk = self.disk.within(limits).unwrap_or_else(|| Arc::clone(&self.disk));
        Some(Arc::new(Self { disk, by_scheme }))
    }

    fn create_new(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
        let path = &*local(path);
        self.target(path)?.create_new(path)
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        let path = &*local(path);
        self.target(path)?.remove_file(path)
    }

    fn write_back(&self, path: &Path) {
        if let Ok(store) = self.find(path) {
            store.write_back(path);
        }
    }

    fn canonical(&self, path: &Path) -> Result<PathBuf> {
        let path = &*local(path);
        self.of(path)?.canonical(path)
    }

    fn disk(&self, path: &Path) -> Result<&dyn Disk> {
        let path = &*local(path);
        self.target(path)?.disk(path)
    }

    fn objects(&self, path: &Path) -> Option<&dyn Objects> {
        self.find(path).ok()?.objects(path)
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
            text("hdfs://b/my x.json"),
            "hdfs://b/my x.json: this distil can't read or write hdfs:// | read it from standard \
             input, with the source -: hdfs dfs -cat 'hdfs://b/my x.json' | distil run - ..."
        );
        assert_eq!(
            text("file://tmp/a"),
            "file://tmp/a: a URL of a file has three slashes, and names no other machine | write \
             file:///PATH, or the path alone"
        );
        for link in ["https://h/x?sig=1", "https://h/x?sig=***"] {
            let told = text(link);
            assert!(told.starts_with("https://h/x?sig=***: "), "{told}");
            assert!(told.ends_with("curl -sSfL URL | distil run - ..."), "{told}");
        }
        assert!(text("oss://x").ends_with("oss:// | "));
        assert_eq!(size("file:///a"), Some(4));
        let error = stores.disk(Path::new("gs://b/out.parquet")).err().unwrap();
        assert_eq!(
            error.hints[0].text,
            "write to a path, and copy the output to its place: gcloud storage cp out.parquet \
             gs://b/out.parquet"
        );
    }
}
