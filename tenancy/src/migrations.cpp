#include <tenure/base/error.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/migrations.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <system_error>

namespace tenure {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, std::string_view reason) {
  raise(ErrorCode::bad_configuration, fmt::format("the migration {}", reason), {}, escaped(path.native()));
}

// 12 of "0012_add_totals.sql".
std::int64_t number_of(const fs::path& path) {
  const std::string name = path.filename().string();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool numbered = error == std::errc{} && *end == '_' && number >= 1 &&
                        number <= static_cast<std::int64_t>(kMigrationsMax) && name.front() != '-';
  if (!numbered) refuse(path, "has no number: files are called 0001_words.sql, 0002_words.sql");
  return number;
}

// 0003.SQL was meant to be one: that nobody ever carried it out should not be found out by a missing table.
bool is_migration(const fs::path& path) {
  const std::string ending = path.extension().string();
  if (ending == ".sql") return true;
  const auto same_letter = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  if (std::ranges::equal(ending, std::string_view{".sql"}, same_letter))
    refuse(path, "ends in " + ending + ", and migrations end in .sql, in lower case");
  return false;
}

std::string read(const fs::path& path) {
  if (!fs::is_regular_file(fs::symlink_status(path))) refuse(path, "is not a plain file");
  const std::uintmax_t size = fs::file_size(path);
  if (size > kMigrationBytesMax) refuse(path, fmt::format("is above {} bytes", kMigrationBytesMax));
  std::string text(size, '\0');
  std::ifstream stream{path, std::ios::binary};
  if (!stream.read(text.data(), static_cast<std::streamsize>(size))) refuse(path, "cannot be read");
  if (!is_utf8(text) || text.find('\0') != std::string::npos) refuse(path, "is not UTF-8 text");
  return text;
}

}  // namespace

std::vector<sqlite::Migration> read_migrations(const fs::path& folder) {
  std::error_code error;
  const fs::directory_iterator entries{folder, error};
  if (error)
    raise(ErrorCode::bad_configuration,
          fmt::format("the folder of migrations cannot be read: {}", error.message()), {},
          escaped(folder.native()));
  std::vector<sqlite::Migration> migrations;
  for (const fs::directory_entry& entry : entries) {
    if (!is_migration(entry.path())) continue;
    migrations.push_back(
        {.number = number_of(entry.path()), .name = entry.path().stem().string(), .sql = read(entry.path())});
  }
  std::ranges::sort(migrations, {}, &sqlite::Migration::number);
  for (std::size_t at = 0; at < migrations.size(); ++at)
    if (migrations[at].number != static_cast<std::int64_t>(at) + 1)
      refuse(folder / (migrations[at].name + ".sql"),
             fmt::format("stands where number {} belongs: each number from 1 is there once", at + 1));
  return migrations;
}

bool has_code(const sqlite::Migration& step) {
  constexpr std::string_view kMark = "-- tenure: code";
  const std::string_view text = step.sql;
  if (!text.starts_with(kMark)) return false;
  const std::string_view rest = text.substr(kMark.size());
  return rest.empty() || rest.front() == '\n' || rest.front() == '\r';
}

}  // namespace tenure
