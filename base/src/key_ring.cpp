#include <tenure/base/secret_key.hpp>

namespace tenure {
namespace {

// No envelope begins like this.
constexpr std::string_view kMarkedText = "tenure key, version 1";

std::optional<KeyedHash> mark_of(const SecretKey* key) {
  return key == nullptr ? std::nullopt : std::optional{key->hash({kMarkedText})};
}

Result<std::shared_ptr<const SecretKey>> key_of_line(std::string_view line) {
  if (line.empty()) return nullptr;
  auto key = SecretKey::from_text(line);
  if (!key) return tl::unexpected(std::move(key.error()));
  return std::make_shared<const SecretKey>(*std::move(key));
}

}  // namespace

std::optional<KeyedHash> KeyRing::mark_of_current() const { return mark_of(current_.get()); }
std::optional<KeyedHash> KeyRing::mark_of_previous() const { return mark_of(previous_.get()); }

Result<KeyRing> KeyRing::read_from(int descriptor) {
  const auto text = SecretText::read(descriptor, 2 * SecretKey::kTextMax);
  if (!text) return tl::unexpected(text.error());
  const std::string_view lines = text->view();
  const std::size_t end = lines.find('\n');
  if (end == std::string_view::npos || !lines.ends_with('\n') || lines.size() == end + 1)
    return fail(ErrorCode::bad_configuration, "has not two lines");
  auto current = key_of_line(lines.substr(0, end));
  if (!current) return tl::unexpected(std::move(current.error()));
  auto previous = key_of_line(lines.substr(end + 1, lines.size() - end - 2));
  if (!previous) return tl::unexpected(std::move(previous.error()));
  return KeyRing(*std::move(current), *std::move(previous));
}

}  // namespace tenure
