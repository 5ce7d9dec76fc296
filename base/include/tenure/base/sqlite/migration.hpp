#pragma once

#include <cstdint>
#include <string>

namespace tenure::sqlite {

// One numbered step of a schema: `0001_control.sql`. It is carried out by migrate(), of migrations.hpp.
struct Migration {
  std::int64_t number = 0;
  std::string name;
  std::string sql;
};

}  // namespace tenure::sqlite
