//! A run has the rights of its start, whoever approves or resumes it.
