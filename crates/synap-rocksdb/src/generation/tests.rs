//! Folders of generations, as they are made, switched and removed, and as a kill leaves them.

use super::*;
use tempfile::TempDir;

const PARTITION: Partition = Partition::Numbered(0);

fn fresh() -> (TempDir, Generations) {
    let data = tempfile::tempdir().unwrap();
    let generations = Generations::open(data.path(), PARTITION).unwrap();
    (data, generations)
}

#[test]
fn generations_are_numbered_switched_and_removed() {
    let (data, generations) = fresh();
    assert_eq!(generations.current().unwrap(), None);
    assert!(generations.list().unwrap().is_empty());
    let (first, path) = generations.create_next().unwrap();
    assert_eq!(first, 1);
    assert_eq!(path, data.path().join("partition-00/gen-0001"));
    assert_eq!(generations.current().unwrap(), None, "made is not live");
    generations.switch_to(1).unwrap();
    generations.create_next().unwrap();
    assert_eq!(
        generations.current().unwrap(),
        Some(1),
        "nor does a later one take over"
    );
    generations.switch_to(2).unwrap();

    let again = Generations::open(data.path(), PARTITION).unwrap();
    assert_eq!(again.current().unwrap(), Some(2), "known after a restart");
    again.switch_to(1).unwrap();
    assert_eq!(again.current().unwrap(), Some(1), "and back");
    again.remove(2).unwrap();
    assert_eq!(again.list().unwrap(), [1_u32]);
}

#[test]
fn partitions_have_folders_of_their_own() {
    let (data, generations) = fresh();
    generations.create_next().unwrap();
    let shared = Generations::open(data.path(), Partition::Shared).unwrap();
    assert!(shared.list().unwrap().is_empty());
    assert!(data.path().join("partition-shared").is_dir());
}

#[test]
fn the_live_generation_and_missing_ones_are_refused() {
    let (_data, generations) = fresh();
    generations.create_next().unwrap();
    generations.switch_to(1).unwrap();
    let error = generations.remove(1).unwrap_err();
    assert!(matches!(error, GenerationError::Live { number: 1 }));
    for error in [generations.switch_to(7), generations.remove(7)] {
        assert!(matches!(
            error.unwrap_err(),
            GenerationError::Missing { number: 7, .. }
        ));
    }
    assert_eq!(
        generations.current().unwrap(),
        Some(1),
        "and nothing changed"
    );
}

#[test]
fn what_a_kill_leaves_is_listed_or_swept() {
    let (data, generations) = fresh();
    generations.create_next().unwrap();
    generations.switch_to(1).unwrap();
    let (left, path) = generations.create_next().unwrap();
    fs::write(path.join("000007.sst"), "half").unwrap();
    fs::write(generations.dir.join(NEW), "gen-").unwrap();
    fs::create_dir(generations.dir.join("trash-0009")).unwrap();
    fs::write(generations.dir.join("trash-0009/000001.sst"), "half").unwrap();

    let again = Generations::open(data.path(), PARTITION).unwrap();
    assert_eq!(
        (again.current().unwrap(), again.list().unwrap()),
        (Some(1), vec![1, left])
    );
    assert!(!again.dir.join("trash-0009").exists(), "a removal is ended");
    again.remove(left).unwrap();
    assert_eq!(again.list().unwrap(), [1_u32]);
    again.switch_to(1).unwrap();
}

#[test]
fn other_folders_and_files_are_no_generations() {
    let (_data, generations) = fresh();
    for name in [
        "gen-",
        "gen-1",
        "gen-00002",
        "gen-0000",
        "gen-+003",
        "gen-9999999999",
        "lost+found",
    ] {
        fs::create_dir(generations.dir.join(name)).unwrap();
    }
    fs::write(generations.dir.join("gen-0005"), "a file").unwrap();
    assert!(generations.list().unwrap().is_empty());
    fs::create_dir(generations.dir.join("gen-12345")).unwrap();
    assert_eq!(generations.list().unwrap(), [12345_u32]);
    assert_eq!(generations.create_next().unwrap().0, 12346);
}

#[track_caller]
fn check_current(bytes: &[u8], expected: &str) {
    let (data, generations) = fresh();
    generations.create_next().unwrap();
    fs::write(generations.dir.join(CURRENT), bytes).unwrap();
    let error = Generations::open(data.path(), PARTITION)
        .unwrap_err()
        .to_string();
    let dir = generations.dir.display().to_string();
    assert_eq!(error.replace(&dir, "DIR"), expected);
}

#[test]
fn a_current_file_that_makes_no_sense_is_named() {
    let says = |what: &str| {
        format!("DIR/CURRENT says {what} instead of a generation's name, such as \"gen-0001\"")
    };
    check_current(b"", &says(r#""""#));
    check_current(b"gen-0001", &says(r#""gen-0001""#));
    check_current(b"gen-0001\n\0", &says(r#""gen-0001\n\0""#));
    check_current(b"../gen-0001\n", &says(r#""../gen-0001\n""#));
    check_current(&[0xff; 500], &says(&format!("{:?}", "\u{fffd}".repeat(64))));
    check_current(
        b"gen-0002\n",
        "generation 2 is missing: there is no folder DIR/gen-0002",
    );
}

#[test]
fn a_current_file_that_cannot_be_read_is_no_fresh_start() {
    let (data, generations) = fresh();
    fs::create_dir(generations.dir.join(CURRENT)).unwrap();
    let error = Generations::open(data.path(), PARTITION).unwrap_err();
    assert!(
        matches!(error, GenerationError::Io { wanted: "read", .. }),
        "{error:?}"
    );
}

#[test]
fn what_is_being_filled_says_so_until_it_is_live() {
    let (data, generations) = fresh();
    generations.create_next().unwrap();
    generations.switch_to(1).unwrap();
    assert_eq!(generations.create_filling(77).unwrap().0, 2);
    let again = Generations::open(data.path(), PARTITION).unwrap();
    let filling = Filling {
        number: 2,
        projection: Some(77),
    };
    assert_eq!(again.filling().unwrap(), [filling], "after a kill as well");
    assert_eq!(
        again.previous().unwrap(),
        None,
        "half a one is none to go back to"
    );
    again.switch_to(2).unwrap();
    assert_eq!(
        (again.filling().unwrap(), again.previous().unwrap()),
        (vec![], Some(1))
    );
    again.create_filling(77).unwrap();
    again.remove(3).unwrap();
    assert_eq!(again.filling().unwrap(), []);
    assert!(!again.dir.join("gen-0003.filling").exists());
}

#[test]
fn markers_that_a_kill_left_are_swept_or_told() {
    let (data, generations) = fresh();
    generations.create_filling(1).unwrap();
    generations.create_filling(1).unwrap();
    generations.switch_to(1).unwrap();
    for (number, text) in [
        (1, "projection 1\n"),
        (2, "projection x\n"),
        (9, "projection 1\n"),
    ] {
        fs::write(generations.marker(number), text).unwrap();
    }
    let again = Generations::open(data.path(), PARTITION).unwrap();
    let unreadable = Filling {
        number: 2,
        projection: None,
    };
    assert_eq!(again.filling().unwrap(), [unreadable]);
    assert!(!again.marker(1).exists() && !again.marker(9).exists());
}

#[test]
fn names_have_settings_and_are_removed_as_a_whole() {
    let (data, generations) = fresh();
    assert!(generations.named().unwrap().is_empty());
    for name in ["b", "a_1-x"] {
        generations.write_named(name, "{}").unwrap();
        fs::create_dir(generations.named_path(name).unwrap()).unwrap();
    }
    assert_eq!(generations.named().unwrap(), ["a_1-x", "b"]);
    assert_eq!(
        generations.named_settings("b").unwrap().as_deref(),
        Some("{}")
    );
    assert_eq!(generations.named_settings("c").unwrap(), None);
    generations.empty_named("b").unwrap();
    assert_eq!(
        generations.named().unwrap(),
        ["a_1-x", "b"],
        "its settings stay"
    );
    generations.remove_named("a_1-x").unwrap();
    generations.remove_named("a_1-x").unwrap();
    assert_eq!(generations.named().unwrap(), ["b"]);
    let left = generations.named_path("left").unwrap();
    fs::create_dir(&left).unwrap();
    drop(Generations::open(data.path(), PARTITION).unwrap());
    assert!(!left.exists(), "a removal is ended");
    assert!(
        generations.list().unwrap().is_empty(),
        "names are no numbers"
    );
}

#[test]
fn a_name_never_leaves_its_folder() {
    let (_data, generations) = fresh();
    for name in ["", "..", "a/b", "A", "a.b", "a\0", "ä", &"x".repeat(65)] {
        let error = generations.write_named(name, "{}").unwrap_err();
        assert!(matches!(error, GenerationError::Name { .. }), "{name:?}");
    }
}

#[test]
fn a_store_made_elsewhere_becomes_the_next_generation() {
    let (data, generations) = fresh();
    generations.create_next().unwrap();
    let folder = data.path().join("made");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("000007.sst"), "whole").unwrap();
    assert_eq!(generations.adopt(&folder).unwrap(), 2);
    assert!(!folder.exists());
    assert!(generations.path(2).join("000007.sst").is_file());
    assert_eq!(generations.current().unwrap(), None, "not live yet");
}
