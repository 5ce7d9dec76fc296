#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/confinement.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

namespace tenure::sqlite {
namespace {

// Of the process, as the files are that it has open. Empty: there is none.
class ConfiningFolder {
 public:
  static ConfiningFolder& of_process() {
    static ConfiningFolder folder;
    return folder;
  }
  std::filesystem::path exchange(std::filesystem::path folder) {
    const std::scoped_lock lock(mutex_);
    return std::exchange(folder_, std::move(folder));
  }
  std::filesystem::path get() {
    const std::scoped_lock lock(mutex_);
    return folder_;
  }

 private:
  std::mutex mutex_;
  std::filesystem::path folder_;
};

bool lies_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto [end_of_folder, rest] = std::ranges::mismatch(folder, path);
  return end_of_folder == folder.end() && rest != path.end();
}

}  // namespace

Confinement::Confinement(std::filesystem::path folder)
    : before_(ConfiningFolder::of_process().exchange(std::move(folder))) {}

Confinement::~Confinement() { (void)ConfiningFolder::of_process().exchange(std::move(before_)); }

bool Confinement::is_in_force() { return !ConfiningFolder::of_process().get().empty(); }

// No link is followed to a database, so that the text of a path says where it leads.
void Confinement::check(const std::filesystem::path& path) {
  const std::filesystem::path folder = ConfiningFolder::of_process().get();
  if (folder.empty() || lies_below(path.lexically_normal(), folder)) return;
  raise(
      ErrorCode::access_refused,
      fmt::format("a replay opens no database but those of its scratch folder {}", escaped(folder.string())),
      {}, path.string());
}

}  // namespace tenure::sqlite
