//! The served tenant among hostile neighbours.
