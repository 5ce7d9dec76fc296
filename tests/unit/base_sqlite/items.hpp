#pragma once

#include <tenure/base/sqlite/connection.hpp>

// The table that most of these tests write to.
namespace tenure::sqlite {

inline constexpr Query kItemTable{"schema", "create table item(id integer primary key, name text)"};
inline constexpr Query kInsertName{"insert_item", "insert into item(name) values(?1)"};
inline constexpr Query kCountItems{"count_items", "select count(*) from item"};

}  // namespace tenure::sqlite
