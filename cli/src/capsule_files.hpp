#pragma once

#include "session.hpp"

#include <tenure/replay/capsule.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Capsules by their files.
namespace tenure::cli {

struct CapsuleFile {
  std::string name;  // in its folder
  std::int64_t bytes = 0;
  std::optional<replay::CapsuleSummary> summary;  // nothing where it cannot be read
  std::string problem;                            // and then why
};

// What --folder says, else the folder of the configuration.
[[nodiscard]] std::filesystem::path capsule_folder(Session& session);
// Those of a folder, in the order of names; none where there is no such folder and nobody named it. AccessRefused, DatabaseMissing.
[[nodiscard]] std::vector<CapsuleFile> capsules_in(const std::filesystem::path& folder, bool is_named);
// A word with a slash is a path; another one is looked for in the folder of capsules, then from the working folder on.
[[nodiscard]] std::filesystem::path capsule_named(Session& session, std::string_view word);

}  // namespace tenure::cli
