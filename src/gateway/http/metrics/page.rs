//! The text format of Prometheus, written family by family.

use crate::service::Counted;
use std::fmt::{Display, Write};

/// The page in the making.
#[derive(Default)]
pub(super) struct Page(pub(super) String);

impl Page {
    /// Begins a family: its kind and what it means.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}.\n# TYPE {name} {kind}");
    }

    /// A family of one row.
    pub(super) fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.row(name, &[], value);
    }

    /// A row of the family that was begun last; a label without text is left out.
    pub(super) fn row(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        let labels: Vec<_> = labels.iter().filter(|(_, text)| !text.is_empty()).collect();
        for (at, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let open = if at == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{open}{label}=\"{text}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{close} {value}");
    }

    /// A family with its buckets.
    pub(super) fn histogram(&mut self, name: &str, help: &str, counted: &Counted) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for (bound, count) in &counted.buckets {
            self.row(&bucket, &[("le", &bound.to_string())], count);
        }
        self.row(&bucket, &[("le", "+Inf")], counted.count);
        self.row(&format!("{name}_sum"), &[], counted.sum_s);
        self.row(&format!("{name}_count"), &[], counted.count);
    }
}
