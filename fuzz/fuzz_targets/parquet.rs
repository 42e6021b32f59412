//! Parquet of others: any bytes as a file, any bytes as a footer, and files of distil with bytes changed. Whatever
//! reads it, it is an error of the file, or rows.
#![no_main]

use std::sync::LazyLock;

use distil_output::reader::PartFile;
use distil_plan::{Fault, SchemaSpec};
use distil_storage::Memory;
use distil_testkit::foreign::{COMPRESSIONS, one_column, output, read};
use libfuzzer_sys::fuzz_target;

/// A file of each codec, and its schema.
static WHOLE: LazyLock<Vec<(Vec<u8>, SchemaSpec)>> = LazyLock::new(|| {
    let file = |compression: &&str| {
        let content = output(compression, 200);
        let memory = Memory::new();
        memory.put("f", &content);
        let part = PartFile::open(&memory, "f".as_ref()).unwrap();
        let declared = part.footer().unwrap().map(|footer| footer.schema);
        (content, SchemaSpec { declared, ..SchemaSpec::default() })
    };
    COMPRESSIONS.iter().map(file).collect()
});

fuzz_target!(|data: &[u8]| {
    let Some((&how, rest)) = data.split_first() else { return };
    let (mut content, schema) = WHOLE[usize::from(how) % WHOLE.len()].clone();
    let schema = match how >> 6 {
        // Each change is a place, counted from the end, and what the byte there becomes.
        0 | 1 => {
            for change in rest.chunks_exact(3) {
                let from_end = usize::from(u16::from_le_bytes([change[0], change[1]]));
                let at = content.len() - 1 - from_end % content.len();
                content[at] = change[2];
            }
            schema
        }
        2 => {
            let length = (rest.len() as u32).to_le_bytes();
            content = [&b"PAR1"[..], rest, &length, b"PAR1"].concat();
            one_column()
        }
        _ => {
            content = rest.to_vec();
            one_column()
        }
    };
    for error in read(&content, &schema) {
        assert_eq!(error.fault, Fault::Input, "{error:?}");
        assert!(!error.what.contains(".rs"), "{error:?}");
    }
});
