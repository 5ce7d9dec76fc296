#pragma once

#include <tenure/base/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

// What may be the name of something: characters and lengths (limits.hpp), one rule for whoever asks, be it a setting, an enqueue,
// an envelope or a Global ID. Threads: any.
namespace tenure {

// A kind is words of a-z 0-9 _ joined by dots; the others are a-z 0-9 _ -. All begin with a-z or 0-9, so that what Tenure itself
// shows in a name's place can begin with _. Which words no tenant may be called is TenantName's to say.
enum class NameOf : std::uint8_t { application, kind, pool, queue, tenant };

// The rule in words, for settings and manuals: "a-z 0-9 _ -, the first a-z or 0-9, 1 to 64 bytes".
[[nodiscard]] std::string name_rule(NameOf what);

// Why `text` is none, as the rest of a sentence about it: "has 65 bytes, at most 64 are allowed". Empty for a name.
[[nodiscard]] std::string broken_name_rule(NameOf what, std::string_view text);

// BadOptions, whose `where` is what it should name ("queue") and whose message shows the text escaped.
[[nodiscard]] Result<void> check_name(NameOf what, std::string_view text);

// Templates of the paths of tenants' databases: a tenant's name, and two hexadecimal digits made of it.
inline constexpr std::string_view kTenantPlaceholder = "%{tenant}";
inline constexpr std::string_view kBucketPlaceholder = "%{bucket}";

// Why no tenants' databases can lie there, as the rest of a sentence about the path: %{tenant} is missing, something else in
// %{ is neither of the two, or a .. takes away what a placeholder stands for. Empty where they can.
[[nodiscard]] std::string broken_placeholder_rule(std::string_view path_template);

// The folder above all of them: what stands before the component with the first placeholder, with its slash.
[[nodiscard]] std::string_view folder_before_placeholders(std::string_view path_template);

}  // namespace tenure
