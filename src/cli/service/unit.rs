//! The unit file of systemd.

use std::path::Path;

/// For whom the node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// For the machine, as a user of its own.
    System,
    /// For the user who installs it.
    User,
}

/// What the unit's header begins with, so that a foreign file of that name is left alone.
pub(super) const MADE_BY: &str = "# Made by `meshmq service install`";

/// The unit that runs a program as a node. `flags` are further ones for `up`.
pub(super) fn text(scope: Scope, program: &Path, flags: &[String]) -> String {
    let mut command = vec![quoted(&program.display().to_string()), "up".to_owned()];
    let (head, wanted_by) = match scope {
        Scope::System => {
            command.extend(
                ["--data", "/var/lib/meshmq", "--socket-group", "meshmq"].map(str::to_owned),
            );
            (SYSTEM, "multi-user.target")
        }
        Scope::User => (USER, "default.target"),
    };
    command.extend(flags.iter().map(|flag| quoted(flag)));
    let command = command.join(" ");
    format!(
        "{MADE_BY}; what you change here is lost at the next one. Use a drop-in:\n\
         # systemctl edit meshmq\n\
         [Unit]\n\
         Description=MeshMQ node\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         StartLimitIntervalSec=0\n\
         \n\
         [Service]\n\
         Type=notify\n\
         NotifyAccess=main\n\
         ExecStart={command}\n\
         WatchdogSec=60\n\
         TimeoutStartSec=10min\n\
         TimeoutStopSec=60\n\
         Restart=on-failure\n\
         RestartSec=5\n\
         {NO_RESTART}\n\
         {head}{HARDENING}\n\
         [Install]\n\
         WantedBy={wanted_by}\n"
    )
}

/// Exits that another start cannot mend: usage, bad input, a second node, damage, permission,
/// configuration.
const NO_RESTART: &str = "RestartPreventExitStatus=64 65 66 73 74 77 78";

const SYSTEM: &str = "\
User=meshmq
Group=meshmq
StateDirectory=meshmq
StateDirectoryMode=0750
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectControlGroups=yes
ProtectKernelTunables=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
PrivateDevices=yes
CapabilityBoundingSet=
";

/// What needs mounts of its own is for the machine's service manager only.
const USER: &str = "";

const HARDENING: &str = "\
UMask=0077
LimitNOFILE=65536
LimitCORE=0
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
";

/// A word of a command line as systemd reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let mut out = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '$' => out.push_str("$$"),
            '%' => out.push_str("%%"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
