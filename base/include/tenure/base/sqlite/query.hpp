#pragma once

#include <string_view>

namespace tenure::sqlite {

// A named SQL text. Queries are constants with static storage: statements are cached by their address, and errors and
// golden query plans carry their name.
struct Query {
  std::string_view name;
  std::string_view sql;
};

}  // namespace tenure::sqlite
