#pragma once

#include <filesystem>
#include <sys/types.h>

// Who may use what we make: whoever may use the folder that it is made in, whatever the umask and whoever made it. An operator who
// makes a tenant as root leaves nothing that the service's user cannot write. Threads: any.
namespace tenure {

// Makes a folder with the mode and the owner of the one that it lies in, but never to be written by everybody; false where it is
// there already. AccessRefused, DiskError.
bool make_folder(const std::filesystem::path& folder);
// `folder` and what is missing above it, from the nearest one that is there.
void make_folders(const std::filesystem::path& folder);

// Makes a folder with these permission bits, at most 0777, whatever the process's umask; where the folder above hands its group down, this one
// does, too. Returns 0 or the value of errno.
[[nodiscard]] int make_folder_with_mode(const std::filesystem::path& folder, mode_t mode);

// Where we are root, gives a file or socket of root's at `path` to the owner of its folder. Leaves as it is what belongs to another
// user, what has several names and what is a link. Opens no file, so that no lock of this process is lost. AccessRefused, DiskError.
void give_to_owner_of_folder(const std::filesystem::path& path);

}  // namespace tenure
