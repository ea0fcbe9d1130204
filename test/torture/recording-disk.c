/*
 * A disk whose every write and flush is recorded: recording-disk IMAGE RECORD MOUNTPOINT -s -f
 *
 * The mount point has two files. `disk` is IMAGE, to be mounted through a loop device. What is written to `mark` goes into the
 * record, in its place among the writes. The record is a sequence of
 *
 *   kind (1 byte: W, F or M) · offset (8 bytes) · length (4 bytes) · bytes, for W and M        numbers little-endian
 */
#define FUSE_USE_VERSION 35
#define _FILE_OFFSET_BITS 64
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int image, record;

static int put_all(int file, const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t wrote = write(file, at, length);
    if (wrote < 0) return -errno;
    at += wrote;
    length -= wrote;
  }
  return 0;
}

static int note(char kind, uint64_t offset, const char *bytes, uint32_t length) {
  unsigned char head[13];
  uint64_t offset_le = htole64(offset);
  uint32_t length_le = htole32(length);
  head[0] = kind;
  memcpy(head + 1, &offset_le, 8);
  memcpy(head + 9, &length_le, 4);
  int failed = put_all(record, head, sizeof head);
  return failed ? failed : put_all(record, bytes, length);
}

static int is_disk(const char *path) { return strcmp(path, "/disk") == 0; }
static int is_mark(const char *path) { return strcmp(path, "/mark") == 0; }

static int get_attributes(const char *path, struct stat *found, struct fuse_file_info *info) {
  (void)info;
  memset(found, 0, sizeof *found);
  if (strcmp(path, "/") == 0) {
    found->st_mode = S_IFDIR | 0700;
    found->st_nlink = 2;
    return 0;
  }
  if (!is_disk(path) && !is_mark(path)) return -ENOENT;
  found->st_mode = S_IFREG | 0600;
  found->st_nlink = 1;
  if (is_disk(path)) {
    struct stat under;
    if (fstat(image, &under) != 0) return -errno;
    found->st_size = under.st_size;
    found->st_blksize = 4096;
    found->st_blocks = under.st_blocks;
  }
  return 0;
}

/* Without the page cache in between, writes come here in the order in which the loop device makes them. */
static int open_file(const char *path, struct fuse_file_info *info) {
  if (!is_disk(path) && !is_mark(path)) return -ENOENT;
  info->direct_io = 1;
  return 0;
}

static int read_file(const char *path, char *bytes, size_t length, off_t offset, struct fuse_file_info *info) {
  (void)info;
  if (!is_disk(path)) return 0;
  ssize_t got = pread(image, bytes, length, offset);
  return got < 0 ? -errno : (int)got;
}

static int write_file(const char *path, const char *bytes, size_t length, off_t offset, struct fuse_file_info *info) {
  (void)info;
  if (is_mark(path)) {
    int failed = note('M', 0, bytes, length);
    return failed ? failed : (int)length;
  }
  ssize_t wrote = pwrite(image, bytes, length, offset);
  if (wrote < 0) return -errno;
  int failed = note('W', offset, bytes, wrote);
  return failed ? failed : (int)wrote;
}

static int flush_disk(const char *path, int data_only, struct fuse_file_info *info) {
  (void)data_only;
  (void)info;
  return is_disk(path) ? note('F', 0, NULL, 0) : 0;
}

static int truncate_file(const char *path, off_t length, struct fuse_file_info *info) {
  (void)length;
  (void)info;
  return is_mark(path) ? 0 : -EPERM;
}

static const struct fuse_operations operations = {
    .getattr = get_attributes,
    .open = open_file,
    .read = read_file,
    .write = write_file,
    .fsync = flush_disk,
    .truncate = truncate_file,
};

int main(int count, char **words) {
  if (count < 4) {
    fprintf(stderr, "usage: %s IMAGE RECORD MOUNTPOINT [options of FUSE]\n", words[0]);
    return 2;
  }
  image = open(words[1], O_RDWR);
  record = open(words[2], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
  if (image < 0 || record < 0) {
    perror(image < 0 ? words[1] : words[2]);
    return 1;
  }
  words[2] = words[0];
  return fuse_main(count - 2, words + 2, &operations, NULL);
}
