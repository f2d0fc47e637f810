//! Rounds: one child each, cut off in one of several ways, and judged by the next.

use super::child;
use super::judge::Verdict;
use super::load::{Batch, Dice, Load, State};
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use tempfile::TempDir;

/// How a round ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The child is killed.
    Kill,
    /// The power goes; so many percent of the unsynced pages survive.
    Power { survive: u32 },
    /// The child dies between two changes, and the power stays: what it left unsynced is still
    /// unsynced for the next one.
    KillUnsynced,
    /// The power goes while the store is opened or soon after; unsynced pages are lost.
    Soon,
    /// The power goes at this change, unless opening takes fewer; no batch is committed.
    At(u64),
    /// The child ends by itself.
    Never,
}

/// What is wrong in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    IgnoreFdatasync,
    AcknowledgeEarly,
    FullDisk,
    FailSync,
}

/// How a round ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was cut off.
    Cut,
    /// The child did all it had to do.
    Ended,
    /// The child said what went wrong.
    Error(String),
}

/// The compiled shim; its directory lasts as long.
pub(crate) struct Shim {
    dir: TempDir,
}

impl Shim {
    /// Compiles it with the system's C compiler.
    pub(crate) fn build() -> Result<Self, String> {
        let dir = TempDir::new().map_err(|error| error.to_string())?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power_cut/shim.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(dir.path().join("shim.so")).arg(source);
        let output = cc.args(["-ldl", "-lpthread"]).output();
        let output = output.map_err(|error| format!("no C compiler `cc`: {error}"))?;
        if output.status.success() {
            Ok(Self { dir })
        } else {
            panic!("shim.c does not compile:\n{}", String::from_utf8_lossy(&output.stderr));
        }
    }

    fn library(&self) -> PathBuf {
        self.dir.path().join("shim.so")
    }
}

/// A store and its life through many rounds.
pub(crate) struct Rounds {
    pub(crate) verdict: Verdict,
    shim: Option<Shim>,
    dir: TempDir,
    dice: Dice,
    /// Number of the last round; unlike in any other test.
    round: u64,
    rounds: u64,
    /// The states that the store may be in: acknowledged last, and one batch further.
    acknowledged: State,
    attempted: State,
    /// The last child left unsynced pages behind.
    carry: bool,
    /// Rounds that were cut before the child could tell what it found.
    early_cuts: u64,
}

/// No child is silent for so long.
const SILENCE: Duration = Duration::from_secs(120);

impl Rounds {
    pub(crate) fn new(seed: u64, shim: Option<Shim>) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        fs::create_dir(dir.path().join("real")).expect("an empty directory");
        Self {
            verdict: Verdict::default(),
            shim,
            dir,
            dice: Dice::new(seed),
            round: seed * 10_000,
            rounds: 0,
            acknowledged: State::new(),
            attempted: State::new(),
            carry: false,
            early_cuts: 0,
        }
    }

    pub(crate) fn real(&self) -> PathBuf {
        self.dir.path().join("real")
    }

    fn shadow(&self) -> PathBuf {
        self.dir.path().join("shadow")
    }

    /// Opens the store once more and judges what is in it.
    pub(crate) fn finish(&mut self) {
        let outcome = self.run(Cut::Never, Fault::None);
        assert_eq!(outcome, Outcome::Ended, "the last opening");
    }

    /// Cuts the next opening at each of its changes in turn, from the same beginning, and judges
    /// each.
    pub(crate) fn cut_the_opening_everywhere(&mut self) {
        let image = self.dir.path().join("image");
        copy_dir(&self.real(), &image);
        for at in 1.. {
            copy_dir(&image, &self.real());
            let outcome = self.run(Cut::At(at), Fault::None);
            assert_eq!(self.run(Cut::At(0), Fault::None), Outcome::Ended, "after change {at}");
            if outcome == Outcome::Ended {
                return;
            }
        }
    }

    /// One child from its start to its end.
    pub(crate) fn run(&mut self, cut: Cut, fault: Fault) -> Outcome {
        self.round += 1;
        self.rounds += 1;
        let mut child = self.spawn(cut, fault);
        let lines = listen(child.stdout.take().expect("its output is piped"));
        // A kill comes at an acknowledgement; the child is in the next batch by then.
        let kill_at = if cut == Cut::Kill { 1 + self.dice.below(60) } else { u64::MAX };
        let outcome = self.follow(
            &lines,
            || {
                child.kill().expect("the child is ours");
            },
            kill_at,
        );
        let status = child.wait().expect("the child is ours");
        let log = fs::read_to_string(self.dir.path().join("stderr")).unwrap_or_default();
        self.carry = cut == Cut::KillUnsynced;
        let power = !matches!(cut, Cut::Kill | Cut::Never);
        if power {
            let done = matches!(outcome, Outcome::Error(_)) || status.success();
            assert!(done || status.code() == Some(99), "the child ended with {status}:\n{log}");
        }
        if power && !self.carry && status.code() == Some(99) {
            fs::remove_dir_all(self.real()).expect("the real directory goes");
            fs::rename(self.shadow(), self.real()).expect("the shadow takes its place");
        }
        match outcome {
            Outcome::Cut if status.success() => Outcome::Ended,
            other => other,
        }
    }

    fn spawn(&mut self, cut: Cut, fault: Fault) -> Child {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "child", "--nocapture", "--test-threads=1"]);
        command.env(child::DIR, self.real()).env(child::ROUND, self.round.to_string());
        let batches = match cut {
            Cut::At(_) => "0",
            Cut::Never => "40",
            _ => "100000",
        };
        command.env(child::BATCHES, batches);
        command.env("RUST_BACKTRACE", "0").stdout(Stdio::piped());
        command.stderr(File::create(self.dir.path().join("stderr")).expect("a log"));
        if let Some(shim) = &self.shim {
            if self.carry {
                command.env("MESHMQ_SHIM_CARRY", "1");
            } else {
                copy_dir(&self.real(), &self.shadow());
            }
            command.env("LD_PRELOAD", shim.library());
            command.env("MESHMQ_SHIM_ROOT", self.real());
            command.env("MESHMQ_SHIM_SHADOW", self.shadow());
            command.env("MESHMQ_SHIM_SEED", self.round.to_string());
        }
        self.order(&mut command, cut);
        match fault {
            Fault::None => &mut command,
            Fault::IgnoreFdatasync => command.env("MESHMQ_SHIM_IGNORE_FDATASYNC", "1"),
            Fault::AcknowledgeEarly => command.env(child::EARLY, "1"),
            Fault::FullDisk => {
                // Opening may take a segment of sled's.
                let full_at = length(&self.real().join("sled/db")) + (512 << 10);
                command.env(child::BATCHES, "100000");
                command.env("MESHMQ_SHIM_FULL_AT", full_at.to_string())
            }
            Fault::FailSync => {
                command.env("MESHMQ_SHIM_FAIL_SYNC", (12 + self.dice.below(10)).to_string())
            }
        };
        command.spawn().expect("the child starts")
    }

    /// Tells the shim when the power goes.
    fn order(&mut self, command: &mut Command, cut: Cut) {
        match cut {
            Cut::Power { survive } => {
                // Early cuts meet opening and recovery, late ones the timer and the cleaning.
                let at = match self.dice.below(8) {
                    0 | 1 => 1 + self.dice.below(60),
                    2 => 1_500 + self.dice.below(3_000),
                    _ => 60 + self.dice.below(700),
                };
                command.env("MESHMQ_SHIM_CUT", at.to_string());
                command.env("MESHMQ_SHIM_SURVIVE", survive.to_string());
            }
            Cut::Soon => {
                command.env("MESHMQ_SHIM_CUT", (5 + self.dice.below(60)).to_string());
            }
            Cut::KillUnsynced => {
                command.env("MESHMQ_SHIM_KILL", (60 + self.dice.below(300)).to_string());
            }
            Cut::At(change) => {
                command.env("MESHMQ_SHIM_CUT", change.to_string());
            }
            Cut::Kill | Cut::Never => {}
        }
    }

    /// Reads what the child says until it ends, and keeps account.
    fn follow(
        &mut self,
        lines: &Receiver<String>,
        mut kill: impl FnMut(),
        kill_at: u64,
    ) -> Outcome {
        let mut load = Load::new(self.round);
        let mut batch = Batch::default();
        let (mut outcome, mut found) = (Outcome::Cut, false);
        loop {
            let line = match lines.recv_timeout(SILENCE) {
                Ok(line) => line,
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    kill();
                    panic!("the child hangs: {self}");
                }
            };
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("@found", list) => {
                    found = true;
                    self.judge(parse(list));
                }
                ("@try", _) => {
                    batch = load.next(&self.acknowledged);
                    batch.apply(&mut self.attempted);
                }
                ("@ack", count) => {
                    self.acknowledged.clone_from(&self.attempted);
                    self.verdict.acknowledged += batch.operations();
                    if count.parse() == Ok(kill_at) {
                        kill();
                    }
                }
                ("@error", what) => {
                    outcome = Outcome::Error(what.trim_start_matches("damaged ").to_owned());
                    if !found {
                        println!("round {}: {what}", self.round);
                        self.verdict.unreadable += 1;
                    }
                }
                _ => {}
            }
        }
        self.early_cuts += u64::from(!found);
        outcome
    }

    fn judge(&mut self, found: State) {
        let before = self.verdict.clone();
        self.verdict.judge(&found, &self.acknowledged, &self.attempted);
        if before.holds() && !self.verdict.holds() {
            println!("round {}: first fault", self.round);
        }
        self.acknowledged = found.clone();
        self.attempted = found;
    }
}

impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, early_cuts, verdict, .. } = self;
        write!(f, "{rounds} rounds ({early_cuts} ended while opening), {verdict}")
    }
}

fn listen(output: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

fn parse(list: &str) -> State {
    let pair = |pair: &str| {
        let (entry, version) = pair.split_once(':').expect("a pair");
        (entry.parse().expect("a number"), version.parse().expect("a number"))
    };
    list.split_whitespace().map(pair).collect()
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

fn copy_dir(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("the old shadow goes");
    }
    fs::create_dir(to).expect("a new shadow");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_dir(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}
