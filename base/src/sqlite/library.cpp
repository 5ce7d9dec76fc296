#include "library.hpp"

#include "index_pages.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/line_limit.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/library_memory.hpp>
#include <tenure/base/sqlite/result_code.hpp>
#include <tenure/base/system.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <optional>
#include <unistd.h>
#include <vector>

namespace tenure::sqlite {
namespace {

constexpr std::size_t kPrimaryCodes = 256;

bool counts_memory = true;

log::Level level_of(int code) {
  if ((code & 0xff) == SQLITE_NOTICE) return log::Level::info;
  if ((code & 0xff) == SQLITE_WARNING) return log::Level::warning;
  // The caller of a failed statement gets its error; only what concerns the disk is an operator's business as
  // well.
  const bool of_caller = (code & 0xff) == SQLITE_CANTOPEN || code == SQLITE_READONLY;
  const ErrorCode ours = classify(code, 0);
  const bool of_disk = ours == ErrorCode::database_damaged || ours == ErrorCode::disk_sync_failed ||
                       ours == ErrorCode::database_moved || ours == ErrorCode::disk;
  return of_disk && !of_caller ? log::Level::warning : log::Level::debug;
}

void on_message(void* /*unused*/, int code, const char* message) {
  try {
    static std::array<LineLimit, kPrimaryCodes>
        limits;  // a full disk is told of by every statement that meets it
    const log::Level level = level_of(code);
    std::optional<std::int64_t> left_out = 0;
    if (level == log::Level::warning) left_out = limits[static_cast<std::size_t>(code & 0xff)].pass();
    if (!left_out) return;
    log::write(level, "sqlite.message",
               fmt::format("{} (code {}){}", message, code, left_out_text(*left_out)));
  } catch (...) {  // SQLite is C: nothing may be thrown through it, and nobody is left to tell.
    return;
  }
}

std::optional<Failure> configure_library() {
  if (sqlite3_threadsafe() == 0)
    return Failure{ErrorCode::bad_configuration,
                   "this SQLite library was built without threads; use the system's libsqlite3"};
  const std::set<std::string> libraries = sqlite_libraries();
  if (libraries.size() > 1)
    return Failure{
        ErrorCode::bad_configuration,
        fmt::format("this process has loaded more than one SQLite library ({}), and each drops the other's "
                    "file locks; link all of it to the same libsqlite3",
                    fmt::join(libraries, ", "))};
  // Refused where the application has used SQLite before us. File names stay safe: we only pass absolute
  // ones.
  sqlite3_config(SQLITE_CONFIG_LOG, &on_message, nullptr);
  sqlite3_config(SQLITE_CONFIG_URI, 0);
  if (!counts_memory) sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  if (sqlite3_initialize() != SQLITE_OK)
    return Failure{ErrorCode::bad_configuration, "the SQLite library does not start; is there memory left?"};
  reserve_pages_of_indexes();
  return std::nullopt;
}

}  // namespace

void count_no_memory() { counts_memory = false; }

void start_library() {
  static const std::optional<Failure> refused = configure_library();
  if (refused) raise(*refused);
}

std::set<std::string> sqlite_libraries() {
  std::vector<std::string> objects;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* names) {
        static_cast<std::vector<std::string>*>(names)->emplace_back(info->dlpi_name);
        return 0;
      },
      &objects);
  std::set<std::string> libraries;
  for (const std::string& object : objects) {
    // Asking each object finds also a copy that hides inside another library, whatever its file is called.
    void* handle = dlopen(object.empty() ? nullptr : object.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    if (handle == nullptr) continue;
    Dl_info place{};
    if (void* symbol = dlsym(handle, "sqlite3_sourceid"); symbol != nullptr && dladdr(symbol, &place) != 0)
      libraries.emplace(place.dli_fname);
    dlclose(handle);
  }
  return libraries;
}

void refuse_network_file_system(const std::filesystem::path& folder) {
  // What cannot be looked at is told better by the open that follows.
  const std::string_view network = network_file_system_below(folder).value_or("");
  if (!network.empty())
    raise(ErrorCode::bad_configuration,
          fmt::format("the folder lies on a network file system ({}), which keeps neither the locks nor the "
                      "shared memory that SQLite needs; move it to a local disk",
                      network),
          {}, folder.string());
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!descriptor.is_open() && error_code_of_system(errno) == ErrorCode::handle_budget_exhausted)
    raise_system(errno, "the folder cannot be opened to be synced", folder);
  if (!descriptor.is_open() || ::fsync(descriptor.number()) != 0)
    raise_system(ErrorCode::disk_sync_failed, errno, "the folder could not be synced", folder);
}

}  // namespace tenure::sqlite
