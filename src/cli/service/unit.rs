//! The text of the systemd unit.

use super::super::error::Exit;
use std::path::Path;

/// Exit codes that the same start would only repeat: systemd leaves such a node stopped.
pub(super) const HOPELESS: [Exit; 7] = [
    Exit::Usage,
    Exit::TooLarge,
    Exit::Unknown,
    Exit::Exists,
    Exit::Disk,
    Exit::Denied,
    Exit::Configuration,
];

/// What a service of the whole machine may not do; it has a user of its own.
const SYSTEM: &str = "\
User=meshmq
Group=meshmq
StateDirectory=meshmq
StateDirectoryMode=0750
UMask=0077
CapabilityBoundingSet=
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
";

/// What a service of one user may not do. What needs root to be forbidden is left out.
const USER: &str = "\
LockPersonality=yes
NoNewPrivileges=yes
RestrictRealtime=yes
SystemCallArchitectures=native
";

/// The unit for this program, with these arguments.
pub(super) fn text(is_system: bool, program: &Path, arguments: &str) -> String {
    let hopeless = HOPELESS.map(|exit| (exit as u8).to_string()).join(" ");
    let (bounds, wanted_by) =
        if is_system { (SYSTEM, "multi-user.target") } else { (USER, "default.target") };
    let network =
        if is_system { "Wants=network-online.target\nAfter=network-online.target\n" } else { "" };
    let program = quoted(program);
    format!(
        "\
[Unit]
Description=MeshMQ node
{network}
[Service]
Type=notify
ExecStart={program} {arguments}
WatchdogSec=60
TimeoutStartSec=120
TimeoutStopSec=60
Restart=on-failure
RestartSec=10
RestartPreventExitStatus={hopeless}
LimitNOFILE=65536
{bounds}
[Install]
WantedBy={wanted_by}
"
    )
}

/// A path as systemd reads it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string().replace('%', "%%");
    if text.contains([' ', '\t', '"', '\\', '$']) {
        let inner = text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$");
        format!("\"{inner}\"")
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
