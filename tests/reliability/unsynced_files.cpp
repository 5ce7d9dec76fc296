#include "unsynced_files.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace tenure::testing {
namespace {

std::string contents_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_lost_with_the_power(std::string_view name) { return name.ends_with("-shm"); }

}  // namespace

UnsyncedFiles::UnsyncedFiles(std::filesystem::path folder) : folder_(std::move(folder)) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator{folder_}) {
    const std::string name = entry.path().lexically_relative(folder_).string();
    if (entry.is_regular_file() && !is_lost_with_the_power(name))
      files_[name].on_disk = contents_of(entry.path());
  }
}

void UnsyncedFiles::note(const ShimVfs::Event& event) {
  const std::string name = std::filesystem::path{event.path}.lexically_relative(folder_).string();
  if (is_lost_with_the_power(name) || event.file == ShimVfs::File::other) return;
  const std::lock_guard lock(mutex_);
  Contents& file = files_[name];
  switch (event.call) {
    case ShimVfs::Call::write:
      file.writes.push_back({std::string{event.bytes}, static_cast<std::size_t>(event.offset), false});
      return;
    case ShimVfs::Call::truncate:
      file.writes.push_back({{}, static_cast<std::size_t>(event.offset), true});
      return;
    case ShimVfs::Call::sync:
      for (const Write& write : file.writes) apply(file.on_disk, write);
      file.writes.clear();
      return;
    case ShimVfs::Call::read:
    case ShimVfs::Call::unfetch:
    case ShimVfs::Call::remove:
      return;
  }
}

UnsyncedFiles::Image UnsyncedFiles::image(const Kept& kept) const {
  const std::lock_guard lock(mutex_);
  Image image;
  for (const auto& [name, file] : files_) {
    const double part = name.starts_with("control.db") ? kept.of_control : kept.of_tenant;
    std::string contents = file.on_disk;
    const auto count = static_cast<std::ptrdiff_t>(part * static_cast<double>(file.writes.size()));
    std::for_each(file.writes.begin(), file.writes.begin() + count,
                  [&](const Write& write) { apply(contents, write); });
    image.emplace(name, std::move(contents));
  }
  return image;
}

void UnsyncedFiles::put(const Image& image, const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  for (const auto& [name, contents] : image) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << contents;
  }
}

void UnsyncedFiles::apply(std::string& contents, const Write& write) {
  if (write.is_truncation) return contents.resize(write.offset);
  if (contents.size() < write.offset + write.bytes.size()) contents.resize(write.offset + write.bytes.size());
  contents.replace(write.offset, write.bytes.size(), write.bytes);
}

}  // namespace tenure::testing
