#pragma once

// The file in which processes line up to write to a database lies beside it.
namespace tenure::sqlite {

inline constexpr const char* kQueueSuffix = "-writers";

}  // namespace tenure::sqlite
