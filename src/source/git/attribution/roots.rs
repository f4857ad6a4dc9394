//! From what trees hold to what commits hold.

use std::collections::HashMap;
use std::ops::Range;

use gix::ObjectId;

use super::super::pack::Database;
use super::super::repository::oid;
use super::census::{Census, Lead};
use super::graph::Graph;
use super::holdings::{Holdings, MAX_DEPTH, Places};
use super::sets::{EMPTY, SetId, Sets};

/// Most directories looked into, each as often as it stands under another path. Trees that hold
/// each other many times over stand for more paths than anybody can list.
const MOST_VISITS: usize = 20_000_000;

/// What every commit of `graph` holds of those blobs of the census that `order` puts into the range
/// `batch`. True when that is not all of it.
pub(super) fn holdings(
    graph: &Graph,
    database: &Database,
    census: &Census,
    order: &[u32],
    batch: Range<usize>,
    sets: &mut Sets,
) -> (Holdings, bool) {
    let mut painter = Painter {
        census,
        order,
        batch,
        sets,
        places: Places::default(),
        known: HashMap::new(),
        prefixes: vec![Vec::new()],
        numbers: HashMap::new(),
        visits: 0,
    };
    let of_tree = |tree: &ObjectId| {
        let row = database.number(&oid(tree)).and_then(|tree| census.row(tree));
        row.map_or(EMPTY, |row| painter.held(row, 0, 0))
    };
    let held = graph.trees.iter().map(of_tree).collect();
    let cut = painter.visits >= MOST_VISITS;
    (Holdings { places: painter.places.list, held }, cut)
}

struct Painter<'a> {
    census: &'a Census,
    order: &'a [u32],
    batch: Range<usize>,
    sets: &'a mut Sets,
    places: Places,
    /// What trees hold, by row and number of the path they stand under.
    known: HashMap<(u32, u32), SetId>,
    /// Paths with `/` at the end.
    prefixes: Vec<Vec<u8>>,
    /// Numbers of paths.
    numbers: HashMap<Vec<u8>, u32>,
    visits: usize,
}

impl Painter<'_> {
    /// The places that the tree in `row` holds where it stands under the path `prefix`.
    fn held(&mut self, row: u32, prefix: u32, depth: usize) -> SetId {
        if let Some(&known) = self.known.get(&(row, prefix)) {
            return known;
        }
        if self.visits >= MOST_VISITS || depth > MAX_DEPTH {
            return EMPTY;
        }
        self.visits += 1;
        let mut blobs: Vec<u32> = Vec::new();
        let mut parts: Vec<SetId> = Vec::new();
        for lead in self.census.leads(row) {
            match lead {
                Lead::Blob(name, number) => {
                    let here = self.batch.contains(&(self.order[number as usize] as usize));
                    let id = self.census.blobs()[number as usize];
                    if let Some(blob) = ObjectId::try_from(id.as_bytes()).ok().filter(|_| here) {
                        let path = &self.prefixes[prefix as usize];
                        blobs.push(self.places.number(path, name, blob));
                    }
                }
                Lead::Tree(name, row) => {
                    let below = self.below(prefix, name);
                    parts.push(self.held(row, below, depth + 1));
                }
            }
        }
        parts.push(self.sets.intern(blobs));
        // In one order, so that the same unions come again.
        parts.sort_unstable();
        let set = parts.into_iter().fold(EMPTY, |all, part| self.sets.union(all, part));
        self.known.insert((row, prefix), set);
        set
    }

    fn below(&mut self, prefix: u32, name: &[u8]) -> u32 {
        let path = [&self.prefixes[prefix as usize], name, b"/"].concat();
        if let Some(&number) = self.numbers.get(&path) {
            return number;
        }
        let number = self.prefixes.len() as u32;
        self.prefixes.push(path.clone());
        self.numbers.insert(path, number);
        number
    }
}
