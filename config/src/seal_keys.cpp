#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/seal_keys.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure::config {
namespace {

// Where a key lies, and how others may be kept from it.
struct KeyFile {
  std::filesystem::path path;
  bool is_credential = false;
};

Result<KeyFile> key_file(std::string_view value, const std::filesystem::path& credentials) {
  if (value.starts_with(kKeyFileFront)) return KeyFile{value.substr(kKeyFileFront.size()), false};
  const std::string_view name = value.substr(kCredentialFront.size());
  if (!credentials.empty()) return KeyFile{credentials / name, true};
  return fail(
      ErrorCode::bad_configuration,
      fmt::format("there is no $CREDENTIALS_DIRECTORY: systemd makes it for a service whose unit says "
                  "LoadCredential={}:/PATH. Elsewhere say {}/PATH, in TENURE_SECURITY_SEAL_KEY or in "
                  "another configuration",
                  name, kKeyFileFront));
}

// The first reason not to read it, or nothing. Of a credential systemd sees to it that the service alone reads it, by ways that the mode
// does not tell.
std::string refusal(const KeyFile& file, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return "is no regular file";
  const uid_t user = ::geteuid();
  if (!file.is_credential && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fmt::format("is open to others than its owner: chmod 600 {}", escaped(file.path.string()));
  if ((status.st_mode & S_IRWXO) != 0) return "is open to everybody";
  if (user != 0 && status.st_uid != user && status.st_uid != 0)
    return fmt::format("belongs to another user (uid {})", status.st_uid);
  return {};
}

Result<SecretKey> key_in(const KeyFile& file) {
  // No link is followed: what the name stands for is looked at here and nowhere else.
  const Descriptor descriptor(
      ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK));
  if (!descriptor.is_open())
    return fail(ErrorCode::bad_configuration, errno == ELOOP
                                                  ? "is a symbolic link, and none is followed to a key"
                                                  : "cannot be opened: " + system_text(errno));
  struct stat status {};
  if (::fstat(descriptor.number(), &status) != 0)
    return fail(ErrorCode::bad_configuration, "cannot be looked at: " + system_text(errno));
  if (std::string why = refusal(file, status); !why.empty())
    return fail(ErrorCode::bad_configuration, std::move(why));
  const auto text = SecretText::read(descriptor.number(), SecretKey::kTextMax);
  if (!text) return fail(ErrorCode::bad_configuration, text.error().message);
  return SecretKey::from_text(text->view());
}

std::shared_ptr<const SecretKey> read_key(std::string_view key, const std::string& value,
                                          const std::filesystem::path& credentials) {
  if (value.empty()) return nullptr;
  if (!has_secret_keys()) raise(ErrorCode::bad_configuration, std::string(kWithoutSeal));
  const auto refuse = [&](const std::string& what) {
    raise(ErrorCode::bad_configuration, fmt::format("security.{} = \"{}\": {}", key, value, what));
  };
  const auto file = key_file(value, credentials);
  if (!file) refuse(file.error().message);
  auto read = key_in(*file);
  if (!read)
    refuse(fmt::format("{} {}", file->is_credential ? escaped(file->path.string()) : "the file",
                       read.error().message));
  return std::make_shared<const SecretKey>(*std::move(read));
}

bool is_of_others(const std::string& value, const std::filesystem::path& credentials) {
  if (value.empty()) return false;
  const auto file = key_file(value, credentials);
  return !file || (::faccessat(AT_FDCWD, file->path.c_str(), R_OK, AT_EACCESS) != 0 && errno == EACCES);
}

}  // namespace

std::filesystem::path credentials_folder() {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  return folder == nullptr ? "" : folder;
}

KeyRing read_seal_keys(const SecuritySettings& settings, const std::filesystem::path& credentials) {
  return {read_key("seal_key", settings.seal_key, credentials),
          read_key("seal_key_previous", settings.seal_key_previous, credentials)};
}

bool is_key_of_others(const SecuritySettings& settings, const std::filesystem::path& credentials) {
  return is_of_others(settings.seal_key, credentials) ||
         is_of_others(settings.seal_key_previous, credentials);
}

}  // namespace tenure::config
