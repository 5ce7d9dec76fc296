#include <tenure/base/secret_key.hpp>

// What stands for keys in a build without them: none can be read, so none of the other functions has one.
namespace tenure {
namespace {

tl::unexpected<Failure> cannot() {
  return fail(ErrorCode::bad_configuration, "cannot be used: this build has no seal (-DTENURE_SEAL=ON)");
}

}  // namespace

bool has_secret_keys() { return false; }

void SecretText::Wipe::operator()(char* memory) const { delete memory; }
SecretText::Memory SecretText::allocate(std::size_t) { raise(cannot().value()); }
Result<SecretText> SecretText::read(int, std::size_t) { return cannot(); }
std::string_view SecretText::view() const { return {}; }

Result<SecretKey> SecretKey::from_text(std::string_view) { return cannot(); }
KeyedHash SecretKey::hash(std::initializer_list<std::string_view>) const { return {}; }

bool KeyRing::has_made(const KeyedHash&, std::initializer_list<std::string_view>) const { return false; }
bool KeyRing::write_to(int) const { return false; }

}  // namespace tenure
