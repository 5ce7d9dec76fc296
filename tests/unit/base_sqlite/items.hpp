#pragma once

#include <tenure/base/sqlite/connection.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

// The table that most of these tests write to.
namespace tenure::sqlite {

inline constexpr Query kItemTable{"schema", "create table item(id integer primary key, name text)"};
inline constexpr Query kInsertName{"insert_item", "insert into item(name) values(?1)"};
inline constexpr Query kCountItems{"count_items", "select count(*) from item"};

[[nodiscard]] inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

}  // namespace tenure::sqlite
