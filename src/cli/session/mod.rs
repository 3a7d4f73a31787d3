//! What most commands begin with: the folder read, the state loaded, the world looked at, the plan made.

mod assembled;
mod copy;
mod destroy;
mod generate;
mod groups;
mod homes;
mod import;
mod lock;
mod observe;
mod pin;
mod places;
mod refresh;
mod refuse;
mod select;
mod settle;
mod survey;
mod taken;
mod unreachable;
mod verify;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures_util::future::join_all;
use infra_api::{Address, HostName, Project, Provider, ResourceId};

use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::{GivenValues, Mode};
use infra_plan::{MadeAs, Outcome, Plan};
use infra_state::{Key, Loaded, Store, Vault};

use super::ui::{Stop, Ui};
pub use copy::copy_of;
pub use import::Asked as Import;
pub use lock::lock_hosts;
use observe::outlives;
pub use places::{declares, kvm_probe, measuring, paths, read};
pub use verify::{Verified, verified};

use crate::choose::Homes;
use crate::configuration::{Configuration, Source};
use crate::decide::{self, Decision, decide};
use crate::declared::Declared;
use crate::inventory::Inventory;
use crate::kept::{as_begun, keep};
use crate::lower;
use crate::moved::{self, Moved};
use crate::placing::Held;
use crate::select::{Asked, Selection};
use crate::world::{
    Endpoints, Folder, ImageFiles, World, evidence, providers, read_files, recorded,
};

/// Which configuration, which values, which state.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub directory: PathBuf,
    pub state: Option<PathBuf>,
    pub given: GivenValues,
    pub endpoints: Endpoints,
    /// Plan from recorded facts and contact nothing.
    pub facts: Option<PathBuf>,
    /// What is on hosts that cannot be reached stays as it is; else they are an error.
    pub allow_unreachable: bool,
    pub destroy: bool,
    /// Nothing is changed but the state.
    pub refresh_only: bool,
    pub replace: BTreeSet<Address>,
    /// What these run as is chosen anew.
    pub rechoose: BTreeSet<Address>,
    /// So many workloads at most go to better places.
    pub rebalance: Option<usize>,
    pub asked: Asked,
    /// Asked for on the command line, beside what the configuration says.
    pub import: Option<Import>,
    /// A file that is read with the configuration, though it is not of its folder.
    pub beside: Option<PathBuf>,
}

/// A configuration with its values, and what is recorded of it.
pub struct Session {
    pub options: Options,
    pub folder: Folder,
    pub configuration: Configuration,
    pub store: Store,
    pub loaded: Loaded,
    pub vault: Vault,
    pub providers: Vec<Box<dyn Provider>>,
    /// What `moved` and `removed` make of the state: known to this program, though not yet in the file.
    pub moved: Moved,
    /// What others have made and is ours now.
    taken: taken::Taken,
    /// Hosts of which nothing is planned, and why they cannot be reached.
    pub unreachable: BTreeMap<HostName, String>,
}

/// A finished plan and all that led to it.
pub struct Planned {
    pub session: Session,
    pub world: World,
    pub plan: Plan,
    pub decision: Decision,
    pub inventory: Inventory,
    pub files: ImageFiles,
}

impl Session {
    /// Reads and evaluates; every error of the configuration stops it.
    ///
    /// # Errors
    /// What is wrong with the configuration or the state.
    pub fn open(options: Options, mode: Mode, ui: Ui) -> Result<Self, Stop> {
        let folder = Folder::new(&options.directory);
        let source = places::read_with(&folder, options.beside.as_deref())?;
        let store = Store::open(paths(&options));
        let loaded = store.load(&source.project())?;
        Self::with_state(options, folder, source, store, loaded, mode, ui)
    }

    /// The same where the state is lost or broken and about to be rebuilt: nothing is read of it.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn open_without_state(options: Options, mode: Mode, ui: Ui) -> Result<Self, Stop> {
        let folder = Folder::new(&options.directory);
        let source = read(&folder)?;
        let store = Store::open(paths(&options));
        Self::with_state(options, folder, source, store, Loaded::default(), mode, ui)
    }

    /// The same, where it is known by now what is named after an address it had before.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn open_named(options: Options, made_as: &MadeAs, ui: Ui) -> Result<Self, Stop> {
        let folder = Folder::new(&options.directory);
        let mut source = read(&folder)?;
        source.name_as(made_as.iter());
        let store = Store::open(paths(&options));
        Self::with_state(
            options,
            folder,
            source,
            store,
            Loaded::default(),
            Mode::Plan,
            ui,
        )
    }

    fn with_state(
        options: Options,
        folder: Folder,
        mut source: Source,
        store: Store,
        mut loaded: Loaded,
        mode: Mode,
        ui: Ui,
    ) -> Result<Self, Stop> {
        let moves = source.moves();
        let providers = providers();
        let mut moved = Moved::default();
        // Mostly neither changes anything: then what may be large need not be compared with what it was.
        let prior = loaded.outcome();
        if !moved::is_settled(prior, &moves) || !prior.released.is_empty() {
            loaded.map(|outcome| {
                let (mut outcome, said) = moved::obey(outcome, &moves);
                // Nobody has to let go of what stays anyway.
                outcome.released.retain(|id| !outlives(&providers, id));
                moved = said;
                (outcome, ())
            });
        }
        let vault = RefCell::new(Vault::new());
        let key: RefCell<Option<Key>> = RefCell::new(None);
        let failed: RefCell<Option<infra_state::Error>> = RefCell::new(None);
        // The key is made when there is a first secret: a plan without one writes nothing.
        let mut secret = |text: &str| {
            if key.borrow().is_none() {
                match store.key() {
                    Ok(made) => *key.borrow_mut() = Some(made),
                    Err(error) => *failed.borrow_mut() = Some(error),
                }
            }
            key.borrow()
                .as_ref()
                .map_or_else(String::new, |key| vault.borrow_mut().insert(key, text))
        };
        let prior = loaded.outcome();
        if loaded.state.is_some() {
            source.name_as(prior.made_as.iter());
        }
        let mut configuration =
            source.evaluate(&options.given, mode, &prior.workloads, &mut secret);
        let (evidence, unusable) = evidence(&folder);
        configuration.declared.evidence = evidence.into();
        configuration.diagnostics.extend(unusable);
        configuration.diagnostics.extend(moved.diagnostics());
        configuration
            .diagnostics
            .extend(moved::untraced(prior, &moves));
        if let Some(error) = failed.into_inner() {
            return Err(error.into());
        }
        let mut session = Self {
            options,
            folder,
            configuration,
            store,
            loaded,
            vault: vault.into_inner(),
            providers,
            moved,
            taken: taken::Taken::new(),
            unreachable: BTreeMap::new(),
        };
        session.taken = session.taken_before();
        session.must(session.configuration.diagnostics.clone(), ui)?;
        Ok(session)
    }

    /// Warnings are said, errors stop.
    ///
    /// # Errors
    /// When there is an error among them.
    pub fn must(&self, diagnostics: Diagnostics, ui: Ui) -> Result<(), Stop> {
        if diagnostics.has_errors() {
            return Err(Stop::Diagnostics(
                diagnostics.sorted(),
                Box::new(self.configuration.sources.clone()),
            ));
        }
        ui.diagnostics(&diagnostics, &self.configuration.sources);
        Ok(())
    }

    #[must_use]
    pub fn project(&self) -> &Project {
        &self.configuration.project
    }

    /// What the state holds.
    #[must_use]
    pub fn prior(&self) -> &Outcome {
        self.loaded.outcome()
    }

    /// Opens the daemons of the declared hosts.
    ///
    /// # Errors
    /// When two of them are one machine: each would take the other's objects for strays.
    pub async fn connect(&self) -> Result<World, Stop> {
        if self.options.facts.is_some() {
            return Ok(World::nowhere());
        }
        let hosts = &self.configuration.declared.hosts;
        let world = World::connect(hosts, &self.providers, &self.options.endpoints).await;
        let mut twins = Diagnostics::new();
        for (first, second) in world.twins() {
            let mut error = Diagnostic::error("Two hosts that are one machine");
            if let Some(origin) = hosts.get(second).and_then(|host| host.origin) {
                error = error.at(origin, format!("it is the same machine as `{first}`"));
            }
            twins.push(error.hint("declare a machine once; `address` says how another one is reached, and on recorded facts, with `--facts DIR`, nothing is reached at all"));
        }
        match twins.has_errors() {
            true => Err(Stop::Diagnostics(
                twins,
                Box::new(self.configuration.sources.clone()),
            )),
            false => Ok(world),
        }
    }

    /// Whose objects are of that id.
    #[must_use]
    pub fn provider(&self, id: &ResourceId) -> Option<&dyn Provider> {
        let mut providers = self.providers.iter();
        providers.find(|p| p.name() == id.provider).map(|p| &**p)
    }

    /// Where the daemons are, for the plan to remember.
    #[must_use]
    pub fn daemons(&self) -> BTreeMap<String, String> {
        self.options
            .endpoints
            .all(&self.configuration.declared.hosts, &self.providers)
    }

    /// Facts of every declared host.
    ///
    /// # Errors
    /// When recorded facts are missing or wrong.
    pub async fn facts(
        &self,
        world: &World,
        ui: Ui,
    ) -> Result<BTreeMap<HostName, infra_api::Facts>, Stop> {
        let hosts = &self.configuration.declared.hosts;
        if let Some(directory) = &self.options.facts {
            let looked_at = hosts
                .values()
                .filter(|h| !self.unreachable.contains_key(&h.name));
            let (facts, diagnostics) = recorded(directory, looked_at);
            self.must(diagnostics, ui)?;
            return Ok(facts);
        }
        let (mut all, mut failures) = (BTreeMap::new(), Vec::new());
        let probe = &kvm_probe();
        let asked = hosts
            .keys()
            .filter(|host| !self.unreachable.contains_key(*host))
            .map(|host| async move { (host, world.facts(host, probe).await) });
        for (host, found) in join_all(asked).await {
            failures.extend(found.failures);
            let unread = found.problems.iter();
            unread.for_each(|p| ui.warning(&format!("host `{host}`: {p}")));
            all.insert(host.clone(), found.facts);
        }
        if failures.is_empty() {
            Ok(all)
        } else {
            Err(Stop::all(failures))
        }
    }

    /// Hosts as they are, minus what they keep for themselves.
    async fn inventory(&self, world: &World, ui: Ui) -> Result<Inventory, Stop> {
        let mut facts = self.facts(world, ui).await?;
        self.count_imports(&mut facts);
        let hosts = &self.configuration.declared.hosts;
        let (inventory, diagnostics) = Inventory::new(hosts, facts, self.project());
        self.must(diagnostics, ui)?;
        Ok(inventory)
    }

    async fn decided(
        &self,
        world: &World,
        inventory: &Inventory,
        selection: &Selection,
    ) -> Result<(Decision, ImageFiles), Stop> {
        let declared = &selection.of(&self.configuration.declared);
        let (files, mut diagnostics) =
            read_files(declared, &self.folder, places::digests().as_deref());
        let (pinned, said) = self.pin(world, inventory, declared).await;
        diagnostics.extend(said);
        let held = self.held(selection);
        let mut decision = self.decision(declared, inventory, &held, &files, &pinned);
        diagnostics.extend(std::mem::take(&mut decision.diagnostics));
        decision.diagnostics = diagnostics;
        decision.tags = pin::recorded(&pinned);
        Ok((decision, files))
    }

    fn decision(
        &self,
        declared: &Declared,
        inventory: &Inventory,
        held: &[Held],
        files: &ImageFiles,
        pinned: &pin::Pins,
    ) -> Decision {
        let homes = self.homes();
        decide(&self.inputs((declared, inventory), held, &homes, (files, pinned)))
    }

    fn inputs<'a>(
        &'a self,
        (declared, inventory): (&'a Declared, &'a Inventory),
        held: &'a [Held],
        homes: &'a Homes,
        (files, pinned): (&'a ImageFiles, &'a pin::Pins),
    ) -> decide::Inputs<'a> {
        let prior = self.prior();
        decide::Inputs {
            project: self.project(),
            evaluation: &self.configuration.evaluation,
            declared,
            addresses: &self.configuration.addresses,
            inventory,
            prior: &prior.workloads,
            made_as: &prior.made_as,
            taken: &self.taken,
            recorded: &prior.resources,
            held,
            homes,
            files,
            pinned,
            providers: &self.providers,
            rebalance: self.options.rebalance,
            rechoose: &self.options.rechoose,
        }
    }

    /// Decides, and keeps what stands against it among the decision's diagnostics.
    ///
    /// # Errors
    /// When the world cannot be read.
    pub async fn decide(&self, ui: Ui) -> Result<(Decision, Inventory), Stop> {
        let world = self.connect().await?;
        let inventory = self.inventory(&world, ui).await?;
        let everything = Selection::default();
        let (decision, _) = self.decided(&world, &inventory, &everything).await?;
        Ok((decision, inventory))
    }

    /// Everything up to the plan.
    ///
    /// # Errors
    /// All that stands against it.
    pub async fn plan(mut self, ui: Ui) -> Result<Planned, Stop> {
        self.rechoosable()?;
        let world = self.reach().await?;
        if self.options.destroy {
            return self.destroy(world).await;
        }
        if self.options.refresh_only {
            return self.refresh(world).await;
        }
        if self.options.facts.is_none() {
            // First of all: what a daemon sees for its facts is what is compared.
            self.settle(&world).await;
        }
        let inventory = self.inventory(&world, ui).await?;
        self.taken = self.find_taken(&world).await?;
        let selection = self.selection(&inventory, self.prior())?;
        let (mut decision, files) = self.decided(&world, &inventory, &selection).await?;
        decision.diagnostics.extend(self.pools_stay(&decision));
        decision
            .diagnostics
            .extend(lower::doubles(&decision.desired));
        if !decision.placed.refused.is_empty() {
            return Err(self.without_a_place(decision, inventory, ui));
        }
        self.must(decision.diagnostics.clone(), ui)?;
        self.replaceable(&decision)?;
        let wanted: BTreeMap<ResourceId, &serde_json::Value> = decision
            .desired
            .iter()
            .map(|d| (d.resource.id.clone(), &*d.resource.body))
            .collect();
        let imports = self.imports(&decision.desired, &selection)?;
        let (mut observed, imported) = self.observe_with(&world, &wanted, &imports).await?;
        if self.options.import.is_some() {
            // One is taken over; whether the rest can be made is for the next plan.
            decision
                .desired
                .retain(|d| imports.contains_key(&d.resource.id));
            observed.retain(|id, _| imports.contains_key(id));
        }
        let groups = self.volume_groups(&world, &decision.desired, &observed);
        self.must(groups.await?, ui)?;
        let declared = selection.of(&self.configuration.declared);
        keep(
            &declared,
            &self.configuration.evaluation,
            &mut decision.desired,
            &observed,
        );
        let anew = &self.options.replace;
        as_begun(&declared, &mut decision.desired, &observed, &imported, anew);
        let wanted = decision.desired.iter().map(|d| d.resource.id.clone());
        let left = self.leave(&mut observed, &wanted.collect(), &selection);
        let mut plan = self.assembled(
            &mut decision,
            (&observed, &imported),
            (self.prior(), &inventory),
            &selection,
        )?;
        plan.let_go.extend(left);
        self.rules(&plan, &inventory, &files, ui)?;
        Ok(Planned {
            session: self,
            world,
            plan,
            decision,
            inventory,
            files,
        })
    }
}
