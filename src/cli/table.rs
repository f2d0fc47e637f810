//! Tables for people: no lines, headings in capitals, numbers to the right, one line a row.

use super::output::{STRONG, printable, styled};
use anstyle::Style;
use comfy_table::{Cell, CellAlignment, ContentArrangement, presets};

/// A table in the making.
pub struct Table {
    columns: Vec<Column>,
    table: comfy_table::Table,
    styles: Vec<Option<Style>>,
}

/// A column's heading and side.
#[derive(Clone, Copy)]
pub enum Column {
    /// Text, to the left.
    Left(&'static str),
    /// Numbers, to the right.
    Right(&'static str),
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: &[Column]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let cells = columns.iter().map(|column| match column {
            Column::Left(name) => Cell::new(name),
            Column::Right(name) => Cell::new(name).set_alignment(CellAlignment::Right),
        });
        table.set_header(cells.collect::<Vec<_>>());
        Self { columns: columns.to_vec(), table, styles: Vec::new() }
    }

    /// Adds a row, in a style if it stands out.
    pub fn row(&mut self, style: Option<Style>, cells: &[String]) {
        let cells = self.columns.iter().zip(cells).map(|(column, text)| {
            let cell = Cell::new(printable(text));
            match column {
                Column::Left(_) => cell,
                Column::Right(_) => cell.set_alignment(CellAlignment::Right),
            }
        });
        self.table.add_row(cells.collect::<Vec<_>>());
        self.styles.push(style);
    }

    /// The lines, with their styles.
    pub fn lines(&self) -> Vec<String> {
        let styles = std::iter::once(Some(STRONG)).chain(self.styles.iter().copied());
        let lines = self.table.lines().map(|line| {
            // The left padding of the first column indents nothing worth indenting.
            line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()
        });
        lines
            .zip(styles)
            .map(|(line, style)| style.map_or_else(|| line.clone(), |style| styled(style, &line)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
