#include "root.hpp"

#include <tenure/base/exception_text.hpp>
#include <tenure/base/no_sockets.hpp>
#include <tenure/base/sqlite/confinement.hpp>
#include <tenure/base/text.hpp>
#include <tenure/jobs/scratch_replay.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/replay/file_name.hpp>
#include <tenure/testing/replay_cases.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <set>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace tenure::testing {
namespace {

namespace fs = std::filesystem;

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Filters of GoogleTest read '-', ':', '*' and '?' as words of their own, and a test that they cannot name is never run.
std::string test_name(std::string_view text, std::string_view besides) {
  std::string name(text);
  for (char& c : name)
    if (!is_plain(c) && besides.find(c) == besides.npos) c = '_';
  return name.empty() ? "_" : name;
}

std::string unused(std::string name, std::set<std::string>& used) {
  for (int number = 2; used.contains(name); ++number) name = fmt::format("{}_{}", name, number);
  used.insert(name);
  return name;
}

std::string name_of_case(const fs::path& file) {
  const std::string name = file.filename().string();
  const bool is_capsule =
      name.ends_with(replay::kCapsuleEnding) && name.size() > replay::kCapsuleEnding.size();
  return test_name(is_capsule ? name.substr(0, name.size() - replay::kCapsuleEnding.size()) : name, ".");
}

// A folder's own problem; empty: it has files, which are in `files`.
std::string list_files(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (!entry->path().filename().string().starts_with('.')) files.push_back(entry->path());
  std::ranges::sort(files);
  if (error) return fmt::format("the folder of capsules {}: {}", folder.string(), error.message());
  if (files.empty()) return fmt::format("there is no capsule in {}", folder.string());
  return {};
}

std::string replayed(const JobRegistry& jobs, const fs::path& file) {
  const replay::Expectation expected = value_or_raise(replay::expectation_of(file));
  const replay::Capsule capsule = replay::read_capsule(file);
  const detail::Root scratch{{}};
  const replay::RunRecord record = replay_in_scratch(jobs, file, capsule, scratch.path());
  const auto difference = replay::compare(capsule.run, record, expected);
  return difference ? difference->text() : "";
}

}  // namespace

std::vector<ReplayCase> replay_cases(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  const fs::path named = whole.has_filename() ? whole : whole.parent_path();
  const std::string suite = test_name(named.filename().string(), "");
  std::vector<fs::path> files;
  if (std::string problem = list_files(named, files); !problem.empty())
    return {{suite, "HasNoCapsules", named, std::move(problem)}};
  std::vector<ReplayCase> cases;
  cases.reserve(files.size());
  std::set<std::string> used;
  for (const fs::path& file : files) cases.push_back({suite, unused(name_of_case(file), used), file});
  return cases;
}

std::string replay_problem(const JobRegistry& jobs, const ReplayCase& which) {
  if (!which.problem.empty()) return which.problem;
  std::string problem;
  std::thread([&] {
    try {  // the entry of a thread
      refuse_new_sockets(NoSocketsOf::this_thread);
      const auto turn = sqlite::Confinement::turn();
      problem = replayed(jobs, which.file);
    } catch (const std::exception& error) {
      problem = fmt::format("{}: {}", which.file.string(), text_of(error));
    }
  }).join();
  return problem;
}

}  // namespace tenure::testing
