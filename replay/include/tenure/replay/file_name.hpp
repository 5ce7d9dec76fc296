#pragma once

#include <tenure/base/error.hpp>
#include <tenure/queue/types.hpp>
#include <tenure/replay/compare.hpp>

#include <filesystem>
#include <string>

namespace tenure::replay {

// What the name of a capsule says of its replay: NAME.capsule (the same run), NAME.passes.capsule, NAME.fails.capsule or
// NAME.fails.TenantBusy.capsule. BadOptions: another ending, no name before it, an error that there is not, or what is almost one of
// these words (NAME.pases.capsule). Looks at no file.
[[nodiscard]] Result<Expectation> expectation_of(const std::filesystem::path& file);

// What a capsule of that run is called: of one claim there is one run.
[[nodiscard]] std::string capsule_name(const queue::JobId& job, const queue::ClaimToken& token);

// "the same", "passes", "fails", "fails by TenantBusy".
[[nodiscard]] std::string text_of(const Expectation& expected);

}  // namespace tenure::replay
