//! From what trees hold to what commits hold.

use std::collections::HashMap;
use std::ops::Range;

use gix::ObjectId;

use super::super::pack::Database;
use super::super::repository::oid;
use super::census::{Census, Item, Lead};
use super::graph::Graph;
use super::holdings::{Holdings, MAX_DEPTH, Places};
use super::sets::{EMPTY, SetId, Sets, without};

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
        last: HashMap::new(),
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
    /// Numbers of paths, by the number of the directory they are in and that of the name.
    numbers: HashMap<(u32, u32), u32>,
    /// By number of the path, the tree last worked out there. The next one is mostly another version
    /// of the same directory.
    last: HashMap<u32, (u32, SetId)>,
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
        let census = self.census;
        let leads = census.leads(row);
        let before = self.last.get(&prefix).map(|&(row, set)| (census.leads(row), set));
        let set = match before.and_then(|(before, set)| Some((set, changes(before, leads)?))) {
            Some((set, (gone, come))) => {
                // Entries stand at places of their own, so that nothing else goes with what is gone.
                let (gone, come) = (self.members(&gone, prefix, depth), self.members(&come, prefix, depth));
                self.sets.changed(set, &gone, come)
            }
            None => {
                let members = self.members(leads, prefix, depth);
                self.sets.intern_ascending(members)
            }
        };
        self.last.insert(prefix, (row, set));
        self.known.insert((row, prefix), set);
        set
    }

    /// The places that `leads` lead to, ascending.
    fn members(&mut self, leads: &[Item], prefix: u32, depth: usize) -> Vec<u32> {
        let mut members: Vec<u32> = Vec::new();
        for &item in leads {
            match self.census.lead(item) {
                Lead::Blob(number) => {
                    let here = self.batch.contains(&(self.order[number as usize] as usize));
                    let id = self.census.blobs()[number as usize];
                    if let Some(blob) = ObjectId::try_from(id.as_bytes()).ok().filter(|_| here) {
                        let (path, name) = (&self.prefixes[prefix as usize], self.census.name(item.name()));
                        members.push(self.places.number(path, name, blob));
                    }
                }
                Lead::Tree(row) => {
                    let below = self.below(prefix, item.name());
                    let set = self.held(row, below, depth + 1);
                    members.extend_from_slice(&self.sets.get(set));
                }
            }
        }
        members.sort_unstable();
        members.dedup();
        members
    }

    fn below(&mut self, prefix: u32, name: u32) -> u32 {
        *self.numbers.entry((prefix, name)).or_insert_with(|| {
            let path = [&self.prefixes[prefix as usize], self.census.name(name), b"/"].concat();
            self.prefixes.push(path);
            self.prefixes.len() as u32 - 1
        })
    }
}

/// The entries that only `before` has, and those that only `after` has; both are ascending. Nothing when
/// little is common to them, or one of them has a name twice: then its places are not its own.
fn changes(before: &[Item], after: &[Item]) -> Option<(Vec<Item>, Vec<Item>)> {
    let doubles = |items: &[Item]| items.windows(2).any(|pair| pair[0].name() == pair[1].name());
    if doubles(before) || doubles(after) {
        return None;
    }
    let (gone, come) = (without(before, after), without(after, before));
    (2 * (gone.len() + come.len()) <= after.len()).then_some((gone, come))
}
