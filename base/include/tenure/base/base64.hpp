#pragma once

#include <tenure/base/blob.hpp>
#include <tenure/base/error.hpp>

#include <string>
#include <string_view>

// Bytes as text: RFC 4648, section 4, with padding. Threads: any.
namespace tenure {

[[nodiscard]] std::string base64_of(const Bytes& bytes);
// Nothing unless `text` is what base64_of gives for some bytes.
[[nodiscard]] Result<Bytes> bytes_of_base64(std::string_view text);

}  // namespace tenure
