// forget_unsynced.c: makes a cut of power survivable for a test: preloaded (LD_PRELOAD) into a database
// or a server with one, it keeps beside each file a shadow, which is the file as its last fsync left
// it. The power is cut by killing every process and putting the shadows in the files' places
// (forgetful_disk.mjs).
//   FORGET_UNSYNCED_FILES    what paths begin with whose files are kept: absolute, no symbolic links
//   FORGET_UNSYNCED_SHADOWS  an existing directory; while a file "lie" is in it, fsync does nothing and
//                            says that it has: what shows that a test would notice a loss
// A shadow belongs to an inode, so that a renamed file takes it along: DEVICE-INODE, with the ranges
// that were written since the last fsync in DEVICE-INODE.dirty, whose flock all processes share. It
// begins with the first change of a file, as what the file was then.
// Seen are open, (p)write(v), (f)truncate, fsync and fdatasync. What is not: names (a file that is made,
// renamed or removed stays so), mmap, stdio, O_SYNC. No file that can be read is opened a second time:
// closing that would drop the POSIX locks that SQLite holds on it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kPathSize = 4096, kBlock = 32 * 1024 };

typedef struct {
  int64_t from;
  int64_t bytes;
} Range;

// A file that is kept.
typedef struct {
  char shadow[kPathSize];
  char dirty[kPathSize + 8];
  int64_t size;
} Kept;

// A test that goes on with wrong shadows proves nothing.
static void Die(const char* what) {
  dprintf(STDERR_FILENO, "forget_unsynced: %s: %s\n", what, strerror(errno));
  abort();
}

static int IsLying(void) {
  char path[kPathSize];
  snprintf(path, sizeof path, "%s/lie", getenv("FORGET_UNSYNCED_SHADOWS"));
  return access(path, F_OK) == 0;
}

// Whether the descriptor is of a file that is kept, and still has a name.
static int IsKept(int fd, Kept* kept) {
  const char* files = getenv("FORGET_UNSYNCED_FILES");
  const char* shadows = getenv("FORGET_UNSYNCED_SHADOWS");
  const int error = errno;
  struct stat stat;
  char link[64];
  char path[kPathSize];
  int is_kept = 0;
  if (files != NULL && shadows != NULL && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) &&
      stat.st_nlink > 0) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) Die("readlink");
    path[length] = '\0';
    is_kept = strncmp(path, files, strlen(files)) == 0;
  }
  if (is_kept) {
    snprintf(kept->shadow, sizeof kept->shadow, "%s/%lx-%lx", shadows, (unsigned long)stat.st_dev,
             (unsigned long)stat.st_ino);
    snprintf(kept->dirty, sizeof kept->dirty, "%s.dirty", kept->shadow);
    kept->size = stat.st_size;
  }
  errno = error;
  return is_kept;
}

// --- Plain calls, past what is defined below

static int64_t PlainRead(int fd, void* data, size_t bytes, int64_t from) {
  return syscall(SYS_pread64, fd, data, bytes, from);
}

static void PlainWrite(int fd, const void* data, size_t bytes, int64_t from) {
  for (size_t done = 0; done < bytes;) {
    const int64_t written =
        syscall(SYS_pwrite64, fd, (const char*)data + done, bytes - done, from + (int64_t)done);
    if (written < 0 && errno != EINTR) Die("writing a shadow");
    if (written > 0) done += (size_t)written;
  }
}

static int PlainOpen(const char* path, int flags) {
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0666);
  if (fd < 0) Die(path);
  return fd;
}

// The descriptor itself, unless it only writes; to be closed if it is another one.
static int Readable(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) Die("fcntl");
  if ((flags & O_ACCMODE) != O_WRONLY) return fd;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  return PlainOpen(link, O_RDONLY);
}

static void Copy(int from, int to, Range range) {
  char block[kBlock];
  while (range.bytes > 0) {
    const size_t wanted = range.bytes < kBlock ? (size_t)range.bytes : kBlock;
    const int64_t got = PlainRead(from, block, wanted, range.from);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) Die("reading a file to be kept");
    if (got == 0) return;  // It has been cut meanwhile.
    PlainWrite(to, block, (size_t)got, range.from);
    range.from += got;
    range.bytes -= got;
  }
}

// The notes of a file, locked until they are closed.
static int LockedNotes(const Kept* kept) {
  const int notes = PlainOpen(kept->dirty, O_RDWR | O_CREAT);
  while (flock(notes, LOCK_EX) != 0) {
    if (errno != EINTR) Die("flock");
  }
  return notes;
}

// --- Shadows

// Before the first change: what is there now counts as synced.
static void BeginShadow(int fd, const Kept* kept) {
  if (access(kept->shadow, F_OK) == 0) return;
  char unfinished[kPathSize + 8];
  snprintf(unfinished, sizeof unfinished, "%s.new", kept->shadow);
  const int notes = LockedNotes(kept);
  if (access(kept->shadow, F_OK) != 0) {
    const int shadow = PlainOpen(unfinished, O_RDWR | O_CREAT | O_TRUNC);
    const int readable = Readable(fd);
    Copy(readable, shadow, (Range){0, INT64_MAX});
    if (readable != fd) close(readable);
    close(shadow);
    if (rename(unfinished, kept->shadow) != 0) Die("rename");
  }
  close(notes);
}

// After the change, so that no fsync takes the note away and copies what was there before.
static void Note(const Kept* kept, int64_t from, int64_t bytes) {
  const Range range = {from, bytes};
  const int notes = LockedNotes(kept);
  PlainWrite(notes, &range, sizeof range, lseek(notes, 0, SEEK_END));
  close(notes);
}

static void UpdateShadow(int fd, const Kept* kept) {
  if (access(kept->shadow, F_OK) != 0) return;  // Never changed.
  const int notes = LockedNotes(kept);
  const int shadow = PlainOpen(kept->shadow, O_RDWR);
  const int readable = Readable(fd);
  Range range;
  for (int64_t at = 0; PlainRead(notes, &range, sizeof range, at) == sizeof range;
       at += (int64_t)sizeof range) {
    Copy(readable, shadow, range);
  }
  struct stat stat;
  if (fstat(fd, &stat) != 0 || syscall(SYS_ftruncate, shadow, stat.st_size) != 0 ||
      syscall(SYS_ftruncate, notes, 0) != 0) {
    Die("ftruncate of a shadow");
  }
  if (readable != fd) close(readable);
  close(shadow);
  close(notes);
}

// A new file with the inode of one that is gone.
static void DropShadow(const Kept* kept) {
  unlink(kept->shadow);
  unlink(kept->dirty);
}

// --- What is seen

static int Truncate(int fd, int64_t size) {
  Kept kept;
  const int is_kept = IsKept(fd, &kept);
  if (is_kept) BeginShadow(fd, &kept);
  const int result = (int)syscall(SYS_ftruncate, fd, size);
  if (result == 0 && is_kept && kept.size > size) Note(&kept, size, kept.size - size);
  return result;
}

int ftruncate(int fd, off_t size) { return Truncate(fd, size); }
int ftruncate64(int fd, off64_t size) { return Truncate(fd, size); }

static int TruncatePath(const char* path, int64_t size) {
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int result = Truncate(fd, size);
  const int error = errno;
  close(fd);
  errno = error;
  return result;
}

int truncate(const char* path, off_t size) { return TruncatePath(path, size); }
int truncate64(const char* path, off64_t size) { return TruncatePath(path, size); }

static int RawOpen(int dir, const char* path, int flags, mode_t mode) {
  return (int)syscall(SYS_openat, dir, path, flags, mode);
}

// Opens, and tells whether the file is new.
static int OpenOrCreate(int dir, const char* path, int flags, mode_t mode, int* is_new) {
  *is_new = 0;
  if ((flags & O_CREAT) == 0) return RawOpen(dir, path, flags, mode);
  int fd = RawOpen(dir, path, flags | O_EXCL, mode);
  *is_new = fd >= 0;
  if (fd >= 0 || errno != EEXIST || (flags & O_EXCL) != 0) return fd;
  fd = RawOpen(dir, path, flags & ~O_CREAT, mode);
  // Gone again, or a link to nowhere.
  return fd >= 0 || errno != ENOENT ? fd : RawOpen(dir, path, flags, mode);
}

static int Open(int dir, const char* path, int flags, mode_t mode) {
  const int is_plain = (flags & (O_CREAT | O_TRUNC)) == 0 || (flags & O_TMPFILE) == O_TMPFILE;
  if (is_plain) return RawOpen(dir, path, flags, mode);
  const int is_cut = (flags & O_TRUNC) != 0 && (flags & O_ACCMODE) != O_RDONLY;
  int is_new = 0;
  const int fd = OpenOrCreate(dir, path, is_cut ? flags & ~O_TRUNC : flags, mode, &is_new);
  if (fd < 0) return fd;
  Kept kept;
  if (is_new) {
    if (IsKept(fd, &kept)) DropShadow(&kept);
  } else if (is_cut) {
    const int error = errno;
    Truncate(fd, 0);  // Refused for what is no file, where O_TRUNC means nothing.
    errno = error;
  }
  return fd;
}

static mode_t ModeOf(int flags, va_list more) {
  const int has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return has_mode ? (mode_t)va_arg(more, unsigned) : 0;
}

#define CONFAB_OPEN(name)                      \
  int name(const char* path, int flags, ...) { \
    va_list more;                              \
    va_start(more, flags);                     \
    const mode_t mode = ModeOf(flags, more);   \
    va_end(more);                              \
    return Open(AT_FDCWD, path, flags, mode);  \
  }
#define CONFAB_OPENAT(name)                             \
  int name(int dir, const char* path, int flags, ...) { \
    va_list more;                                       \
    va_start(more, flags);                              \
    const mode_t mode = ModeOf(flags, more);            \
    va_end(more);                                       \
    return Open(dir, path, flags, mode);                \
  }
CONFAB_OPEN(open)
CONFAB_OPEN(open64)
CONFAB_OPENAT(openat)
CONFAB_OPENAT(openat64)

int creat(const char* path, mode_t mode) {
  return Open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char* path, mode_t mode) { return creat(path, mode); }

// `from`: -1 is the descriptor's own place.
static ssize_t WriteAll(int fd, const struct iovec* parts, int count, int64_t from) {
  Kept kept;
  const int is_kept = IsKept(fd, &kept);
  if (is_kept) BeginShadow(fd, &kept);
  const ssize_t written = from < 0 ? syscall(SYS_writev, fd, parts, count)
                                   : syscall(SYS_pwritev, fd, parts, count, from, (int64_t)0);
  if (written > 0 && is_kept) {
    Note(&kept, from < 0 ? lseek(fd, 0, SEEK_CUR) - written : from, written);
  }
  return written;
}

static ssize_t WriteOne(int fd, const void* data, size_t bytes, int64_t from) {
  const struct iovec part = {(void*)data, bytes};
  return WriteAll(fd, &part, 1, from);
}

ssize_t write(int fd, const void* data, size_t bytes) { return WriteOne(fd, data, bytes, -1); }
ssize_t pwrite(int fd, const void* data, size_t bytes, off_t from) {
  return WriteOne(fd, data, bytes, from);
}
ssize_t pwrite64(int fd, const void* data, size_t bytes, off64_t from) {
  return WriteOne(fd, data, bytes, from);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  return WriteAll(fd, parts, count, -1);
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t from) {
  return WriteAll(fd, parts, count, from);
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t from) {
  return WriteAll(fd, parts, count, from);
}

// A flag may mean that it is synced at once, which would not be seen.
static ssize_t WriteFlagged(int fd, const struct iovec* parts, int count, int64_t from, int flags) {
  if (flags == 0) return WriteAll(fd, parts, count, from);
  errno = EOPNOTSUPP;
  return -1;
}
ssize_t pwritev2(int fd, const struct iovec* parts, int count, off_t from, int flags) {
  return WriteFlagged(fd, parts, count, from, flags);
}
ssize_t pwritev64v2(int fd, const struct iovec* parts, int count, off64_t from, int flags) {
  return WriteFlagged(fd, parts, count, from, flags);
}

static int Sync(int fd, long number) {
  Kept kept;
  if (!IsKept(fd, &kept)) return (int)syscall(number, fd);
  if (IsLying()) return 0;
  const int result = (int)syscall(number, fd);
  if (result == 0) UpdateShadow(fd, &kept);
  return result;
}

int fsync(int fd) { return Sync(fd, SYS_fsync); }
int fdatasync(int fd) { return Sync(fd, SYS_fdatasync); }
