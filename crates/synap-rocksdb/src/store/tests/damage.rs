//! What kills, power cuts and failing disks leave: an earlier commit or an error, never a part of a commit, and never
//! another answer.

use super::*;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// The files of a store with this extension, largest first.
fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().len()));
    files
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

/// A folder that a store without a clean end left behind: half of the turns in tables, the others in the log only.
fn left_behind(turns: u64) -> tempfile::TempDir {
    let (dir, left) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(dir.path());
    commit_turns(&store, 1..=turns / 2);
    // Only some of the tables: what a write buffer that is full does.
    for table in [Table::Postings, Table::Rows] {
        let table = store.column_family(table).unwrap();
        store.db.flush_cf(table).unwrap();
    }
    commit_turns(&store, turns / 2 + 1..=turns);
    copy(dir.path(), left.path());
    left
}

#[test]
fn a_store_that_was_not_closed_has_every_commit() {
    let left = left_behind(101);
    assert_eq!(check_commit_boundary(&open(left.path())), 101);
}

#[test]
fn a_killed_process_loses_no_commit() {
    let name = "store::tests::damage::a_killed_process_loses_no_commit";
    if let Some(dir) = std::env::var_os(CHILD_DIR) {
        let store = open(Path::new(&dir));
        for seq in 1..1_000_000 {
            store.commit(&turn(seq)).unwrap();
            println!("\ncommitted {seq}");
        }
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut process = child(name, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut said = 0;
    for line in lines {
        if let Some(seq) = line.unwrap().strip_prefix("committed ") {
            said = seq.parse().unwrap();
            if said == 700 {
                process.kill().unwrap();
            }
        }
    }
    process.wait().unwrap();
    assert!(said >= 700);
    // What it committed and did not come to say may be there.
    let found = check_commit_boundary(&open(dir.path()));
    assert!((said..=said + 1).contains(&found), "{said} {found}");
}

#[test]
fn a_torn_log_falls_back_to_a_commit() {
    let left = left_behind(40);
    let log = files(left.path(), "log").remove(0);
    let bytes = fs::read(&log).unwrap();
    let mut found = Vec::new();
    for kept in (0..=bytes.len()).rev().step_by(97) {
        let torn = tempfile::tempdir().unwrap();
        copy(left.path(), torn.path());
        fs::write(torn.path().join(log.file_name().unwrap()), &bytes[..kept]).unwrap();
        found.push(check_commit_boundary(&open(torn.path())));
    }
    assert_eq!(found.first(), Some(&40));
    assert!(found.is_sorted_by(|a, b| a >= b), "{found:?}");
    assert!(found.last().is_some_and(|seq| *seq < 40));
}

/// The log spans several of RocksDB's blocks of 32 KiB: what comes after a damaged one could be read, and must not be.
#[test]
fn a_damaged_log_falls_back_to_a_commit_or_is_refused() {
    let left = left_behind(2_000);
    let log = files(left.path(), "log").remove(0);
    let bytes = usize::try_from(log.metadata().unwrap().len()).unwrap();
    assert!(bytes > 5 * 32 * 1024);
    let mut earlier = 0;
    for at in (0..bytes).step_by(bytes / 30) {
        let damaged = tempfile::tempdir().unwrap();
        copy(left.path(), damaged.path());
        flip(&damaged.path().join(log.file_name().unwrap()), at);
        match RocksStore::open(damaged.path(), &options()) {
            Ok(store) => earlier += u32::from(check_commit_boundary(&store) < 2_000),
            Err(error) => assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}"),
        }
    }
    assert!(earlier > 0);
}

/// A way to read, and what it finds.
type Answer = Result<Vec<Vec<u8>>, StoreError>;

/// All that can be asked of a store, each way of reading by itself.
fn answers(store: &RocksStore) -> Vec<Answer> {
    let snapshot = store.snapshot();
    let scan = |prefix: &Prefix| {
        let mut rows = Vec::new();
        let mut add = |rest: &[u8], value: &[u8]| {
            rows.push([rest, value].concat());
            ControlFlow::Continue(())
        };
        snapshot.scan(prefix, &mut add)?;
        Ok(rows)
    };
    let get = |key: &Key| Ok(snapshot.get(key)?.into_iter().collect());
    let mut answers: Vec<Answer> = (0..=300)
        .map(|seq| get(key::parked(Seq::new(seq)).key()))
        .collect();
    answers.push(get(key::stats(&scope()).key()));
    answers.push(get(&key::posting_chunk(&scope(), "term", 0)));
    answers.push(scan(&key::all_parked()));
    answers.push(scan(&key::postings(&scope(), "term")));
    answers.push(digest(&snapshot).map(|digest| vec![digest.to_string().into_bytes()]));
    answers
}

/// Whether reading failed anywhere. Where it did not, it found what is expected.
#[track_caller]
fn check_answers(found: &[Answer], expected: &[Answer]) -> bool {
    for (found, expected) in found.iter().zip(expected) {
        if let Ok(rows) = found {
            assert!(rows == expected.as_ref().unwrap());
        }
    }
    found.iter().any(Result::is_err)
}

#[test]
fn a_flipped_bit_in_a_table_is_an_error_and_never_another_answer() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit_turns(&store, 1..=300);
    store.flush().unwrap();
    let expected = answers(&store);
    drop(store);
    let (mut by_reading, mut by_opening) = (0, 0);
    for table in files(dir.path(), "sst") {
        let bytes = usize::try_from(table.metadata().unwrap().len()).unwrap();
        for at in (0..bytes).step_by(bytes / 25) {
            let damaged = tempfile::tempdir().unwrap();
            copy(dir.path(), damaged.path());
            flip(&damaged.path().join(table.file_name().unwrap()), at);
            match RocksStore::open(damaged.path(), &options()) {
                Ok(store) => by_reading += u32::from(check_answers(&answers(&store), &expected)),
                Err(error) => {
                    by_opening += 1;
                    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
                }
            }
        }
    }
    assert!(
        by_reading > 20 && by_opening > 20,
        "{by_reading} {by_opening}"
    );
}

#[track_caller]
fn check_refused(dir: &Path) {
    let error = RocksStore::open(dir, &options()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

#[test]
fn a_store_that_lacks_files_is_damaged_and_not_empty() {
    let left = left_behind(20);
    for name in ["CURRENT", "MANIFEST-", ".sst"] {
        let lacking = tempfile::tempdir().unwrap();
        copy(left.path(), lacking.path());
        for file in fs::read_dir(lacking.path()).unwrap() {
            let path = file.unwrap().path();
            if path.to_str().unwrap().contains(name) {
                fs::remove_file(path).unwrap();
            }
        }
        check_refused(lacking.path());
    }
}

#[test]
fn a_store_with_other_tables_is_foreign() {
    let dir = tempfile::tempdir().unwrap();
    let mut other = rocksdb::Options::default();
    other.create_if_missing(true);
    other.create_missing_column_families(true);
    drop(DB::open_cf(&other, dir.path(), ["rows", "vectors"]).unwrap());
    let error = RocksStore::open(dir.path(), &options()).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
}

#[test]
fn a_folder_that_cannot_be_made_is_an_io_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let error = RocksStore::open(&dir.path().join("file/store"), &options()).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
}
