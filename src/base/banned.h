/*
 * Functions whose misuse has cost the field too much. Including this header, which every other
 * header of base/ does, turns a call to one of them into a compile error that names the replacement.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BANNED(func, instead) func##_is_banned_use_##instead

#undef strcpy
#define strcpy(...) BANNED(strcpy, str_or_buf)
#undef strncpy
#define strncpy(...) BANNED(strncpy, str_or_buf)
#undef strcat
#define strcat(...) BANNED(strcat, buf_append)
#undef strncat
#define strncat(...) BANNED(strncat, buf_append)
#undef sprintf
#define sprintf(...) BANNED(sprintf, buf_addf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf, buf_addf)
#undef strtok
#define strtok(...) BANNED(strtok, str_split)
#undef strtok_r
#define strtok_r(...) BANNED(strtok_r, str_split)
#undef gets
#define gets(...) BANNED(gets, file_read)
#undef atoi
#define atoi(...) BANNED(atoi, str_to_i64)
#undef atol
#define atol(...) BANNED(atol, str_to_i64)
#undef atoll
#define atoll(...) BANNED(atoll, str_to_i64)
#undef atof
#define atof(...) BANNED(atof, str_to_f64)

#endif
