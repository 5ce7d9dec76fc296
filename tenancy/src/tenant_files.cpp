#include <tenure/base/error.hpp>
#include <tenure/base/file_kind.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <iterator>
#include <sys/stat.h>
#include <system_error>

namespace tenure {
namespace {

constexpr std::size_t kBucketSize = 2;

[[noreturn]] void refuse(std::string_view path_template, std::string_view reason) {
  raise(ErrorCode::bad_configuration,
        fmt::format("the path template \"{}\" {}", escaped(path_template), reason));
}

void check(std::string_view path_template) {
  if (!path_template.starts_with('/')) refuse(path_template, "is not absolute");
  if (path_template.find('\0') != std::string_view::npos) refuse(path_template, "contains NUL");
  if (path_template.ends_with('/')) refuse(path_template, "names no file: it ends with /");
  if (const std::string rule = broken_placeholder_rule(path_template); !rule.empty())
    refuse(path_template, rule);
  for (const auto& component : std::filesystem::path{path_template})
    if (component == "." || component == "..") refuse(path_template, "must not contain . or ..");
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

[[noreturn]] void refuse_what_lies_at(const std::filesystem::path& path, const TenantName& name,
                                      bool is_last) {
  raise(ErrorCode::access_refused,
        fmt::format(
            "{} lies where {} of this tenant belongs; Tenure follows no link beneath the tenants' root and "
            "uses nothing else in that place, so move it away, or put the real {} there",
            kind_of_file_at(path), is_last ? "the file" : "a folder", is_last ? "file" : "folder"),
        name.text(), path.string());
}

// BadTenantName for one that a row held and that the rules refuse.
const std::string& text_for_path(const TenantName& name) {
  if (!name.keeps_rules()) value_or_raise(TenantName::parse(name.text()));
  return name.text();
}

}  // namespace

TenantFiles::TenantFiles(std::string_view path_template) : template_(path_template) {
  check(path_template);
  const std::string_view root = folder_before_placeholders(path_template);
  relative_template_ = path_template.substr(root.size());
  std::error_code error;
  root_ = std::filesystem::weakly_canonical(root, error);
  if (error) refuse(path_template, "has a root that cannot be resolved: " + error.message());
  if (!root_.has_filename()) root_ = root_.parent_path();
  const TenantName longest{std::string(limits::kTenantNameMax, 'x')};
  const std::size_t size =
      std::max(path_for(longest).native().size(), building_path_for(longest).native().size());
  if (size > kPathMax)
    refuse(path_template, fmt::format("makes paths of {} bytes, at most {} are possible", size, kPathMax));
}

// FNV-1a: changing it would lose every file, so it is written out here and depends on nothing.
std::string TenantFiles::bucket_of(const TenantName& name) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char byte : name.text()) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  return fmt::format("{:02x}", hash & 0xffU);
}

std::filesystem::path TenantFiles::relative_path_for(const TenantName& name) const {
  const std::string& text = text_for_path(name);
  const std::string bucket = bucket_of(name);
  TENURE_INVARIANT(bucket.size() == kBucketSize);
  std::filesystem::path relative =
      replace_all(replace_all(relative_template_, kBucketPlaceholder, bucket), kTenantPlaceholder, text);
  TENURE_INVARIANT(relative.is_relative() && relative == relative.lexically_normal());
  return relative;
}

std::filesystem::path TenantFiles::path_for(const TenantName& name) const {
  return root_ / relative_path_for(name);
}

std::filesystem::path TenantFiles::building_path_for(const TenantName& name) const {
  return building_folder() / (text_for_path(name) + ".db");
}

std::filesystem::path TenantFiles::building_lock_for(const TenantName& name) const {
  return building_folder() / (text_for_path(name) + ".lock");
}

// Component by component, since openat2 with its RESOLVE_NO_SYMLINKS is not available in the service's
// sandbox. The database itself is never opened: closing a descriptor of it would drop the process's locks.
void TenantFiles::refuse_links(const TenantName& name) const {
  constexpr int kFolder = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const std::filesystem::path relative = relative_path_for(name);
  std::filesystem::path shown = root_;
  Descriptor folder{::open(root_.c_str(), kFolder)};
  for (auto component = relative.begin(); component != relative.end(); ++component) {
    if (!folder.is_open()) {
      if (errno == ENOENT) return;
      raise(error_code_of_system(errno),
            fmt::format("the folder cannot be looked at: {}", system_text(errno)), name.text(),
            shown.string());
    }
    shown /= *component;
    struct stat status {};
    if (::fstatat(folder.number(), component->c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return;
      raise(error_code_of_system(errno), fmt::format("the path cannot be looked at: {}", system_text(errno)),
            name.text(), shown.string());
    }
    const bool is_last = std::next(component) == relative.end();
    if (is_last ? !S_ISREG(status.st_mode) : !S_ISDIR(status.st_mode))
      refuse_what_lies_at(shown, name, is_last);
    if (is_last) return;
    folder = Descriptor{::openat(folder.number(), component->c_str(), kFolder | O_NOFOLLOW)};
  }
}

}  // namespace tenure
