#pragma once

#include <cstddef>

// How much memory operator new has handed out, by replacements that count. Not linked into a build with sanitizers, which have
// operators of their own. Threads: one; others' memory would be counted as the caller's.
namespace tenure::fuzz {

// Forgets the highest amount so far, and counts from what is held now on.
void start_counting();
// The most that was held at one moment since then, in bytes, beyond what was held at the start.
[[nodiscard]] std::size_t highest_count();

}  // namespace tenure::fuzz
