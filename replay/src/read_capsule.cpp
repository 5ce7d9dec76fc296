#include "capsule_digest.hpp"
#include "capsule_rows.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/replay/capsule.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenure::replay {
namespace {

// What is about the world, or about the version, and not about the bytes of the file.
bool is_of_world(ErrorCode code) {
  constexpr std::array kOfWorld{ErrorCode::schema_mismatch, ErrorCode::database_missing,
                                ErrorCode::access_refused,  ErrorCode::disk,
                                ErrorCode::out_of_memory,   ErrorCode::handle_budget_exhausted,
                                ErrorCode::forked_process,  ErrorCode::database_damaged};
  return std::ranges::find(kOfWorld, code) != kOfWorld.end();
}

constexpr std::size_t kMessageMax = 1024;  // bytes
constexpr std::string_view kCopyAgain = "; copy the file again from where it was taken";

// What is plainly another file is said to be one before SQLite takes it for a damaged database. What cannot be read is its open's to say.
void refuse_other_file(const std::filesystem::path& file) {
  constexpr std::string_view kBegin{"SQLite format 3\0", 16};
  const Descriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  struct stat status {};
  if (!opened.is_open() || ::fstat(opened.number(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  std::array<char, kBegin.size()> begin{};
  const ssize_t bytes = ::pread(opened.number(), begin.data(), begin.size(), 0);
  if (bytes < 0 || std::string_view{begin.data(), static_cast<std::size_t>(bytes)} == kBegin) return;
  raise(
      ErrorCode::database_damaged,
      bytes == 0 ? "the file is no capsule: it is empty" : "the file is no capsule: it is no SQLite database",
      {}, file.string());
}

// Statements of ours on a file of somebody: what SQLite finds fault with is the file.
void look_at_capsule(const std::filesystem::path& file, FunctionRef<void(sqlite::Connection&)> work) {
  refuse_other_file(file);
  bool is_whole = false;
  try {
    is_whole = sqlite::look_at_file(file, [&](sqlite::Connection& connection) {
      sqlite::limit_values_by_file(connection);
      require_capsule_tables(connection);
      work(connection);
    });
  } catch (const Error& error) {
    Failure failure = error.failure();
    failure.message = failure.code == ErrorCode::database_missing
                          ? "there is no such capsule; tenure replay list shows those that there are"
                          : escaped(failure.message, kMessageMax);  // SQLite's quotes names of the file
    if (!is_of_world(failure.code))
      failure = {
          ErrorCode::database_damaged, "the capsule is damaged: " + failure.message, {}, file.string()};
    if (failure.code == ErrorCode::database_damaged) {
      failure.message += kCopyAgain;
      failure.where = file.string();  // and not the statement that met it
    }
    raise(std::move(failure));
  }
  if (is_whole) return;
  raise(ErrorCode::database_damaged,
        fmt::format("a journal or log lies beside the capsule, or somebody has written to it meanwhile; a "
                    "capsule is one file and never changes{}",
                    kCopyAgain),
        {}, file.string());
}

}  // namespace

Capsule read_capsule(const std::filesystem::path& file) {
  std::optional<Capsule> capsule;
  look_at_capsule(file, [&](sqlite::Connection& connection) {
    if (digest_of(connection, [] {}) != read_digest(connection))
      raise(ErrorCode::database_damaged,
            "the capsule is damaged or was altered: its rows are not those of its digest", {}, file.string());
    capsule = Capsule{read_head_row(connection), read_run_rows(connection)};
  });
  return *std::move(capsule);
}

CapsuleHead read_head(const std::filesystem::path& file) {
  std::optional<CapsuleHead> head;
  look_at_capsule(file, [&](sqlite::Connection& connection) { head = read_head_row(connection); });
  return *std::move(head);
}

CapsuleSummary read_summary(const std::filesystem::path& file) {
  std::optional<CapsuleSummary> summary;
  look_at_capsule(file, [&](sqlite::Connection& connection) {
    summary = CapsuleSummary{read_head_row(connection), read_failure(connection)};
  });
  return *std::move(summary);
}

}  // namespace tenure::replay
