#pragma once

#include <tenure/base/secret_key.hpp>
#include <tenure/config/settings.hpp>

#include <filesystem>
#include <string_view>

// Reads the keys that `security.seal_key` and `security.seal_key_previous` name. Threads: any.
namespace tenure::config {

// "credential:NAME": a file of that name in the folder where systemd puts a service's credentials; "file:PATH": an absolute path.
inline constexpr std::string_view kCredentialFront = "credential:";
inline constexpr std::string_view kKeyFileFront = "file:";

// Why whoever was built without the seal refuses a key.
inline constexpr std::string_view kWithoutSeal =
    "security.seal_key is set, and this program was built without the seal; leave it empty, or build with "
    "-DTENURE_SEAL=ON";

// $CREDENTIALS_DIRECTORY of this process; empty where it has none.
[[nodiscard]] std::filesystem::path credentials_folder();

// Both, as far as they are set. BadConfiguration: the build has no seal, there are no credentials, the file is missing, no regular one,
// open to others than its owner, somebody else's, or holds no key. No message quotes anything that was read.
[[nodiscard]] KeyRing read_seal_keys(const SecuritySettings& settings,
                                     const std::filesystem::path& credentials);

// Whether a key that cannot be read is one that others may be able to read: a credential of a service, or somebody else's file.
[[nodiscard]] bool is_key_of_others(const SecuritySettings& settings,
                                    const std::filesystem::path& credentials);

}  // namespace tenure::config
