#include "capsule_files.hpp"

#include <tenure/base/text.hpp>
#include <tenure/config/capsule_folder.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace tenure::cli {
namespace {

[[noreturn]] void refuse_folder(const std::filesystem::path& folder, const std::error_code& error) {
  const bool is_missing =
      error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
  raise(is_missing ? ErrorCode::database_missing : ErrorCode::access_refused,
        fmt::format("the folder of capsules cannot be read: {}", error.message()), {}, folder.string());
}

// One that is damaged, or of another version, is shown with what is wrong and hides no other.
CapsuleFile file_at(const std::filesystem::directory_entry& entry) {
  CapsuleFile file{.name = entry.path().filename().string(), .summary = {}, .problem = {}};
  std::error_code error;
  file.bytes = static_cast<std::int64_t>(entry.file_size(error));
  if (error) file.bytes = 0;
  try {
    file.summary = replay::read_summary(entry.path());
  } catch (const Error& problem) {
    file.problem = fmt::format("{}: {}", name_of(problem.code()), problem.failure().message);
  }
  return file;
}

}  // namespace

std::filesystem::path capsule_folder(Session& session) {
  if (session.has("folder")) return session.option("folder");
  return config::capsule_folder(session.settings());
}

std::vector<CapsuleFile> capsules_in(const std::filesystem::path& folder, bool is_named) {
  std::vector<CapsuleFile> files;
  std::error_code error;
  std::filesystem::directory_iterator entries{folder, error};
  if (error == std::errc::no_such_file_or_directory && !is_named) return files;
  if (error) refuse_folder(folder, error);
  for (; entries != std::filesystem::directory_iterator{}; entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (!name.starts_with('.') && name.ends_with(replay::kCapsuleEnding)) files.push_back(file_at(*entries));
    if (error) refuse_folder(folder, error);
  }
  std::ranges::sort(files, {}, &CapsuleFile::name);
  return files;
}

std::filesystem::path capsule_named(Session& session, std::string_view word) {
  if (word.find('/') != std::string_view::npos) return word;
  std::error_code error;
  const std::filesystem::path in_folder = capsule_folder(session) / word;
  if (std::filesystem::exists(in_folder, error)) return in_folder;
  if (std::filesystem::exists(word, error)) return word;
  return in_folder;
}

}  // namespace tenure::cli
