//! How backends say what they do not support.

use distil_plan::{Fault, Need, Support};

/// Something that a backend does not support: it must refuse every case that asks for it, so that a
/// gap that is closed turns the suite red.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// What is asked for.
    pub need: Need,
    /// Why the backend does not support it, and what would have to happen.
    pub support: Support,
}

impl Mark {
    /// Who must act on the refusal.
    pub fn fault(&self) -> Fault {
        if self.need == Need::BadRecords { Fault::Input } else { Fault::Usage }
    }
}
