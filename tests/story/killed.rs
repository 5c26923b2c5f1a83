//! A process that is killed at any moment of the story.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{alm, command, git};

/// How often the story is killed. `ALM_KILLS=50 cargo test --test story killed` is the long way.
fn kills() -> u32 {
    std::env::var("ALM_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(6)
}

#[test]
fn a_killed_story_leaves_a_workspace_that_opens_and_tells_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let whole = alm(folder.path(), &["demo", "whole"]);
    assert_eq!(whole.code, Some(0), "{}", whole.text);
    let length = started.elapsed();

    let kills = kills();
    let mut moments = Moments(0x9E37_79B9_7F4A_7C15);
    for number in 0..kills {
        // Spread over the whole story, at a random moment of each part.
        let part = length / kills;
        let moment = part * number + part.mul_f64(moments.next());
        let name = format!("killed-{number}");
        let mut story = command(folder.path(), &["demo", &name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(moment);
        // A story that was faster this time has simply ended.
        let _ = story.kill();
        story.wait().unwrap();
        check(&folder.path().join(&name), moment);
    }
}

/// What must hold whatever the moment was.
fn check(workspace: &std::path::Path, moment: Duration) {
    if !workspace.join("alm.toml").exists() {
        return;
    }
    let history = alm(workspace, &["history", "--json"]);
    assert_eq!(
        history.code,
        Some(0),
        "killed after {moment:?}: {}",
        history.text
    );
    let repository = workspace.join(".alm/tenant/repositories/contoso/ALM/apps.git");
    if repository.join("HEAD").exists() {
        git(&repository, &["fsck"]);
    }
    if !workspace.join(".alm/tenant/tenant.sqlite").exists() {
        return;
    }
    // The next run says what it found, and does its own work.
    std::fs::write(
        workspace.join("scripts/look.rhai"),
        "//! Look.\nenvironment::named(\"dev\").name",
    )
    .unwrap();
    let next = alm(workspace, &["run", "look", "--as", "admin"]);
    assert_eq!(next.code, Some(0), "killed after {moment:?}: {}", next.text);
    let after = alm(workspace, &["history", "--json"]);
    assert!(
        !after.text.contains("\"outcome\":null"),
        "a run never ended: {}",
        after.text
    );
}

/// Random numbers from a fixed seed (splitmix64), so that a failure can be repeated.
struct Moments(u64);

impl Moments {
    /// A number from 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}
