//! Shared text.

use std::sync::Arc;

/// Text that many records share: a function, a module, a file. Cheap to clone.
pub type Str = Arc<str>;
