#pragma once

#include <tenure/queue/store.hpp>

#include <optional>
#include <string>

// What is said of outboxes in more than one place.
namespace tenure::cli {

// Of a tenant whose database was found to be an older copy.
struct BehindFile {
  queue::OutboxSeq newest{0};
  queue::OutboxSeq watermark{0};
};
[[nodiscard]] std::optional<BehindFile> behind_file(queue::JobReader& reader, const TenantName& tenant,
                                                    Generation generation);

inline constexpr std::string_view kFileBehind = "file_behind";
// "file_behind: its database is an older copy, ..."
[[nodiscard]] std::string text_of(const BehindFile& behind);
// What puts that right.
[[nodiscard]] std::string change_of_behind(const TenantName& tenant);

}  // namespace tenure::cli
