//! Machines that are network namespaces, and the bridge between them. A namespace is held by a
//! process that ends with its standard input, so nothing outlives the program that made it, and no
//! name is left anywhere.

use super::host::{Missing, run};
use super::wall::{Wall, Way};
use crate::scenario::{LinkPlan, Place, WayPlan};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// A network namespace, as long as this value lives and processes run in it.
#[derive(Debug)]
pub(super) struct Hub(Child);

impl Hub {
    fn new() -> Result<Self, Missing> {
        let failed = |why: std::io::Error| format!("unshare: {why}");
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "echo made; exec cat >/dev/null"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(failed)?;
        }
        let made = Self(child);
        if line.trim() == "made" { Ok(made) } else { Err("unshare: no namespace came".to_owned()) }
    }

    /// Where the namespace is, for `nsenter`.
    pub(super) fn path(&self) -> String {
        format!("--net=/proc/{}/ns/net", self.0.id())
    }

    /// Runs a program in it to its end.
    pub(super) fn run(
        &self,
        program: &str,
        arguments: &[&str],
        input: &str,
    ) -> Result<String, Missing> {
        let path = self.path();
        run("nsenter", [path.as_str(), program].iter().chain(arguments), input)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The machines of a scenario and the bridge between them.
#[derive(Debug)]
pub(super) struct Lan {
    hub: Hub,
    machines: Vec<Hub>,
    wall: Wall,
    has_netem: bool,
}

/// The name of a machine's port of the bridge.
pub(super) fn port(place: Place) -> String {
    format!("port{place}")
}

/// A machine's address on the wire.
pub(super) fn mac(place: Place) -> [u8; 6] {
    let [high, low] = (place as u16).to_be_bytes();
    [0x02, b'M', b'Q', 0, high, low]
}

/// A machine's address: of the network it is in at first, or of another one.
fn address(place: Place, net: u8) -> String {
    format!("10.{net}.{}.{}", place / 250, place % 250 + 1)
}

impl Lan {
    /// So many machines, all of which hear each other.
    pub(super) fn new(machines: usize) -> Result<Self, Missing> {
        let hub = Hub::new()?;
        let bridge = "link add br0 type bridge mcast_snooping 0\nlink set br0 up\n";
        hub.run("ip", &["-batch", "-"], bridge)?;
        let mut made = Vec::new();
        for place in 0..machines {
            let machine = Hub::new()?;
            let [port, pid] = [port(place), machine.0.id().to_string()];
            let hex: Vec<String> = mac(place).iter().map(|byte| format!("{byte:02x}")).collect();
            let wire = format!(
                "link add {port} type veth peer name eth0 address {} netns {pid}\n\
                 link set {port} master br0 up\n",
                hex.join(":")
            );
            hub.run("ip", &["-batch", "-"], &wire)?;
            let inside = format!(
                "link set lo up\nlink set eth0 up\naddr add {}/8 dev eth0\n",
                address(place, 77)
            );
            machine.run("ip", &["-batch", "-"], &inside)?;
            made.push(machine);
        }
        let wall = Wall::new(&hub, machines)?;
        let netem = ["qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"];
        let has_netem = hub.run("tc", &netem, "").is_ok();
        Ok(Self { hub, machines: made, wall, has_netem })
    }

    /// A machine.
    pub(super) fn machine(&self, place: Place) -> &Hub {
        &self.machines[place]
    }

    /// What stops the packets, for the report.
    pub(super) const fn cuts_by(&self) -> &'static str {
        self.wall.name()
    }

    /// Whether nothing goes this way.
    pub(super) fn is_cut(&self, way: Way) -> bool {
        self.wall.is_cut(way)
    }

    /// Whether latency, loss and disorder can be made here.
    pub(super) const fn has_netem(&self) -> bool {
        self.has_netem
    }

    /// Cuts or heals directions; those that changed.
    pub(super) fn set_cut(&mut self, ways: &[Way], cut: bool) -> Result<Vec<Way>, Missing> {
        self.wall.set(&self.hub, ways, cut)
    }

    /// Gives a machine another address and no other, in the so-many-th network.
    pub(super) fn readdress(&self, place: Place, nth: usize) -> Result<(), Missing> {
        let address = address(place, 78 + (nth % 100) as u8);
        let change = format!("addr flush dev eth0\naddr add {address}/8 dev eth0\n");
        self.machines[place].run("ip", &["-batch", "-"], &change).map(drop)
    }

    /// Makes links as slow, lossy and late as they are meant to be, as far as the kernel can.
    pub(super) fn shape(&self, links: &[LinkPlan]) -> Result<(), Missing> {
        for place in 0..self.machines.len() {
            let into = links.iter().filter(|link| link.ends.0 == place || link.ends.1 == place);
            let leaves: Vec<(Place, String)> = into
                .filter_map(|link| {
                    // The first way is from the first end.
                    let (from, way) = match link.ends {
                        (from, to) if to == place => (from, &link.ways[0]),
                        (_, from) => (from, &link.ways[1]),
                    };
                    Some((from, leaf(way, self.has_netem)?))
                })
                .collect();
            if !leaves.is_empty() {
                self.hub.run("tc", &["-batch", "-"], &classes(place, &leaves))?;
            }
        }
        Ok(())
    }
}

/// A port's way out: one class for each sender with a queue of its own, and all others unhindered.
fn classes(place: Place, leaves: &[(Place, String)]) -> String {
    let port = port(place);
    let mut text = format!("qdisc replace dev {port} root handle 1: htb default 1\n");
    let fast = "htb rate 10gbit burst 1m";
    let _ = writeln!(text, "class replace dev {port} parent 1: classid 1:1 {fast}");
    for (from, leaf) in leaves {
        let number = format!("{:x}", from + 2);
        let hex: Vec<String> = mac(*from).iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(text, "class replace dev {port} parent 1: classid 1:{number} {fast}");
        let _ = writeln!(text, "qdisc replace dev {port} parent 1:{number} {leaf}");
        let _ = writeln!(
            text,
            "filter replace dev {port} parent 1: protocol all pref {} u32 match ether src {} \
             flowid 1:{number}",
            from + 1,
            hex.join(":")
        );
    }
    text
}

/// The queue of one direction; none if nothing hinders it.
fn leaf(way: &WayPlan, has_netem: bool) -> Option<String> {
    let rate = way.bytes_per_s;
    if has_netem {
        let (least, most) = (way.latency.least, way.latency.most);
        let mut text = format!("netem delay {}ms {}ms", least.midpoint(most), (most - least) / 2);
        for (what, share) in [("loss", way.loss), ("duplicate", way.duplicate)] {
            if share > 0.0 {
                let _ = write!(text, " {what} {}%", share * 100.0);
            }
        }
        if let Some(rate) = rate {
            let _ = write!(text, " rate {}bit", rate * 8);
        }
        return Some(text);
    }
    let rate = rate?;
    // Two packets, or what passes in a twentieth of a second; half a second may wait.
    let burst = (rate / 20).max(3_200);
    Some(format!("tbf rate {}bit burst {burst} latency 500ms", rate * 8))
}
