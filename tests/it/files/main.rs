//! Files of ours: they appear whole or not at all, and equal tables give equal bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::io;

use domain::error::{Coded, ErrorKind};
use domain::identity::sha256_hex;
use files::tables::{
    read_known_columns, read_parquet, sha256_of_file, sweep_temporaries, write_atomically, write_frame,
    write_parquet,
};
use files::workspace::{Workspace, WorkspaceError};
use polars::prelude::*;

fn frame() -> DataFrame {
    df!("user_id" => ["ann", "bob", "eve"], "opens" => [Some(1_i64), None, Some(3)]).unwrap()
}

#[test]
fn a_write_that_fails_leaves_the_former_file_and_nothing_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.txt");
    write_atomically(&path, |file| file.write_all(b"former")).unwrap();
    let failed = write_atomically(&path, |file| {
        file.write_all(b"half of the new one")?;
        Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull))
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Ours);
    assert_eq!(fs::read(&path).unwrap(), b"former");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn what_a_killed_process_left_behind_is_swept_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.txt");
    // A writer that is killed never gets to rename or remove its temporary file.
    let left = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        write_atomically(&path, |_| -> io::Result<()> { panic!("killed") })
    }));
    assert!(left.is_err() && !path.exists());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    sweep_temporaries(directory.path());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn equal_tables_give_equal_bytes_and_come_back_equal() {
    let directory = tempfile::tempdir().unwrap();
    let paths = ["a.parquet", "b.parquet"].map(|name| directory.path().join(name));
    let hashes = paths.each_ref().map(|path| write_parquet(path, &mut frame()).unwrap());
    assert_eq!(hashes[0], hashes[1]);
    assert_eq!(fs::read(&paths[0]).unwrap(), fs::read(&paths[1]).unwrap());
    assert_eq!(sha256_of_file(&paths[0]).unwrap(), hashes[0]);
    assert_eq!(sha256_hex(&fs::read(&paths[0]).unwrap()), hashes[0]);
    assert!(read_parquet(&paths[0], None).unwrap().equals_missing(&frame()));
    let known = read_known_columns(&paths[0], &["opens", "a_column_of_later"]).unwrap();
    assert_eq!(known.get_column_names(), ["opens"]);
}

#[test]
fn an_extension_that_no_table_has_is_the_callers_error() {
    let directory = tempfile::tempdir().unwrap();
    let error = write_frame(&directory.path().join("table.xlsx"), frame()).unwrap_err();
    assert_eq!((error.code(), error.kind()), ("unknown_format", ErrorKind::Caller));
}

#[test]
fn a_second_writer_is_told_that_the_workspace_is_busy_until_the_first_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let workspace = Workspace::create(directory.path()).unwrap();
    let lock = workspace.lock().unwrap();
    let refused = Workspace::open(directory.path()).unwrap().lock().err().unwrap();
    assert!(matches!(refused, WorkspaceError::Locked(_)));
    assert_eq!((refused.code(), refused.kind()), ("workspace_locked", ErrorKind::Busy));
    drop(lock);
    assert!(workspace.lock().is_ok());
}
