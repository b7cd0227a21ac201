-- String functions

-- case: length_values
SELECT length('hello'), length(''), length('äö'), length(NULL);

-- case: upper_lower
SELECT upper('aBc'), lower('AbC'), upper('äß'), lower('ÄÖ');

-- case: concat_function
SELECT concat('a', 'b', 'c'), concat('a', NULL), concat('x', '');

-- case: concat_one_argument
SELECT concat('a');

-- case: concat_ws_values
SELECT concat_ws(',', 'a', 'b'), concat_ws(',', 'a', NULL, 'c'), concat_ws('-', ARRAY['x', NULL, 'y']), concat_ws(NULL, 'a');

-- case: substr_values
SELECT substr('hello', 2), substr('hello', 2, 3), substr('hello', -3), substr('hello', -3, 2), substr('hello', 0), substr('hello', 10), substr('hello', 2, 100);

-- case: substring_syntax
SELECT substring('hello', 2, 2), substring('hello' FROM 2), substring('hello' FROM 2 FOR 3);

-- case: substr_unicode
SELECT substr('äöü€', 2, 2), substr('a😀b', 2, 1);

-- case: substr_negative_length
SELECT substr('hello', 2, -1), substr('hello', 1, 0);

-- case: trim_values
SELECT trim('  a b  '), ltrim('  a '), rtrim(' a  ') || '|', trim('');

-- case: trim_syntax
SELECT trim(BOTH 'x' FROM 'xxaxx'), trim(LEADING 'x' FROM 'xxaxx'), trim(TRAILING FROM 'a  ') || '|', trim('xy' FROM 'xyaxy');

-- case: trim_two_arguments
SELECT trim('xxaxx', 'x'), ltrim('xxa', 'x'), rtrim('axx', 'x');

-- case: trim_whitespace_kinds
SELECT length(trim(chr(9) || 'a' || chr(10)));

-- case: replace_values
SELECT replace('abcabc', 'b'), replace('abcabc', 'b', 'xx'), replace('abc', '', '-'), replace('abc', 'z', 'y');

-- case: reverse_values
SELECT reverse('abc'), reverse('äö'), reverse('');

-- case: strpos_values
SELECT strpos('hello', 'l'), strpos('hello', 'z'), strpos('hello', ''), strpos('hello', 'l', 2), strpos('hello', 'l', -1);

-- case: position_syntax
SELECT position('l' IN 'hello'), position('äö' IN 'xäö');

-- case: split_values
SELECT split('a,b,c', ','), split('a,b,c', ',', 2), split('', ','), split('a', ',');

-- case: split_part_values
SELECT split_part('a,b,c', ',', 2), split_part('a,b,c', ',', 4), split_part('a,b', ',', 1);

-- case: split_part_zero
SELECT split_part('a,b', ',', 0);

-- case: split_to_map_values
SELECT split_to_map('a=1,b=2', ',', '=');

-- case: split_to_map_duplicate
SELECT split_to_map('a=1,a=2', ',', '=');

-- case: lpad_rpad
SELECT lpad('5', 3, '0'), rpad('5', 3, '0'), lpad('12345', 3, '0'), lpad('a', 5, 'xy'), rpad('a', 0, 'x');

-- case: lpad_negative
SELECT lpad('a', -1, 'x');

-- case: lpad_empty_padding
SELECT lpad('a', 3, '');

-- case: starts_with_values
SELECT starts_with('hello', 'he'), starts_with('hello', 'lo'), starts_with('hello', '');

-- case: chr_codepoint
SELECT chr(65), chr(8364), codepoint('A'), codepoint('€');

-- case: chr_bad
SELECT chr(-1);

-- case: codepoint_long
SELECT codepoint('ab');

-- case: repeat_array
SELECT repeat('a', 3), repeat(1, 0);

-- case: translate_values
SELECT translate('abcd', 'abc', 'xy'), translate('abcd', '', 'x'), translate('aab', 'a', 'z');

-- case: levenshtein
SELECT levenshtein_distance('kitten', 'sitting'), hamming_distance('karolin', 'kathrin');

-- case: hamming_different_lengths
SELECT hamming_distance('a', 'ab');

-- case: soundex_values
SELECT soundex('Robert'), soundex('Rupert');

-- case: normalize_values
SELECT normalize(U&'a\0308'), length(normalize(U&'\00e4', NFD));

-- case: to_utf8_from_utf8
SELECT to_utf8('aä'), from_utf8(X'61c3a4'), from_utf8(X'61ff62'), from_utf8(X'61ff', '?');

-- case: hex_functions
SELECT to_hex(X'00ff'), from_hex('00FF'), to_hex(to_utf8('a'));

-- case: from_hex_bad
SELECT from_hex('0g');

-- case: base64_functions
SELECT to_base64(to_utf8('hello')), from_base64('aGVsbG8='), to_base64url(X'fbff');

-- case: hash_functions
SELECT to_hex(md5(to_utf8('a'))), to_hex(sha1(to_utf8('a'))), to_hex(sha256(to_utf8('a'))), to_hex(xxhash64(to_utf8('a'))), crc32(to_utf8('a'));

-- case: sha512_hmac
SELECT to_hex(sha512(to_utf8('a'))), to_hex(hmac_sha256(to_utf8('data'), to_utf8('key')));

-- case: format_function
SELECT format('%s is %d years and %.2f m', 'Bob', 42, 1.756e0), format('%05d|%-5s|%x|%,d', 42, 'ab', 255, 1234567), format('%%');

-- case: format_dates
SELECT format('%tF %<tT', TIMESTAMP '2024-02-29 01:02:03'), format('%s', DATE '2024-02-29'), format('%b', true);

-- case: format_decimal
SELECT format('%s %.1f', 1.25, 1.25);

-- case: format_bad
SELECT format('%d', 'x');

-- case: char_functions
SELECT length(CAST('ab' AS char(4))), upper(CAST('ab' AS char(4))), trim(CAST('ab' AS char(4))) || '|', substr(CAST('ab' AS char(4)), 1, 3), reverse(CAST('ab' AS varchar(4)));

-- case: char_concat
SELECT concat(CAST('ab' AS char(4)), CAST('c' AS char(2))), CAST('ab' AS char(4)) || 'x';

-- case: varbinary_functions
SELECT length(X'00ff'), substr(X'010203', 2), X'01' || X'02', reverse(X'0102'), concat(X'01', X'02');

-- case: result_types
SELECT typeof(upper('abc')), typeof(substr('abc', 1, 2)), typeof(replace('abc', 'b', 'cc')), typeof(split('a', ',')), typeof(length('a')), typeof(strpos('a', 'b')), typeof(lpad('a', 5, 'x')), typeof(trim('abc'));

-- case: result_types_char
SELECT typeof(upper(CAST('a' AS char(3)))), typeof(trim(CAST('a' AS char(3)))), typeof(substr(CAST('abc' AS char(3)), 1)), typeof(concat('a', 'b')), typeof(reverse('abc')), typeof(concat_ws(',', 'a', 'b'));

-- case: null_arguments
SELECT upper(NULL), substr(NULL, 1), strpos('a', NULL), replace('a', 'b', NULL), lpad(NULL, 3, 'x'), split(NULL, ',');

-- case: length_of_number
SELECT length(5);

-- case: upper_of_number
SELECT upper(1);

-- case: on_columns
SELECT upper(substr(name, 1, 3)) AS abbr, length(name) AS len, strpos(comment, 'a') > 0 AS has_a FROM tpch.tiny.region ORDER BY name;

-- case: word_stem_values
SELECT word_stem('running'), word_stem('ponies');

-- case: luhn
SELECT luhn_check('79927398713'), luhn_check('79927398714');

-- case: url_functions
SELECT url_extract_host('http://example.com:8080/p/a?q=1#f'), url_extract_port('http://example.com:8080/p'), url_extract_path('http://example.com/p/a?q'), url_extract_parameter('http://example.com/?a=1&b=2', 'b'), url_extract_query('http://example.com/?a=1'), url_extract_protocol('http://example.com'), url_extract_fragment('http://e.com/#x');

-- case: url_encode_decode
SELECT url_encode('a b&c/ä'), url_decode('a%20b%26c+d');
