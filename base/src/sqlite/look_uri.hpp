#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <filesystem>
#include <string>

// The name by which SQLite opens a file to look at it. Internal.
namespace tenure::sqlite {

// A log that holds something. Without one the database file alone is the whole database.
[[nodiscard]] bool has_log(const std::filesystem::path& path);

// AccessRefused, see look_at().
[[nodiscard]] std::string look_uri(const std::filesystem::path& path, Access access);

}  // namespace tenure::sqlite
