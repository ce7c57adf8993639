//! Flags of what new people find.

use clap::Args;

use super::{ConfigFault, flags::Faults, values::switch};

/// What new people find.
#[derive(Args, Clone, Debug)]
pub struct OnboardingArgs {
    /// Whether new people find three tasks that show what Tidings does
    #[arg(
        long,
        env = "SAMPLE_TASKS",
        default_value = "true",
        value_name = "BOOL"
    )]
    sample_tasks: String,
}

impl OnboardingArgs {
    /// Checks them, where they are all that is checked: whether there are sample tasks.
    ///
    /// # Errors
    /// Every fault.
    pub fn check(&self) -> Result<bool, Vec<ConfigFault>> {
        let mut faults = Faults::default();
        self.take(&mut faults).ok_or(faults.0)
    }

    pub(super) fn take(&self, faults: &mut Faults) -> Option<bool> {
        faults.take("SAMPLE_TASKS", switch(&self.sample_tasks))
    }
}
