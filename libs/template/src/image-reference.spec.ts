import { describe, expect, it } from 'vitest';
import { imageFault } from './image-reference';

const hex = 'a'.repeat(64);

describe('an image is a Docker reference', () => {
  it.each([
    'hello-world',
    'hello-world:v1.2_3-x',
    'a',
    'a.b',
    'a_b',
    'a__b',
    'a---b',
    'user/app',
    'a/b/c/d',
    'localhost/app',
    'localhost:5000/app:latest',
    '192.168.1.1:5000/ubuntu/disk-wipe:v1',
    '[2001:db8::1]:5000/app',
    'registry.example.com/app',
    'Registry.Example.com/app',
    'UPPER/app',
    `app@sha256:${hex}`,
    `reg:5000/app:v1@sha256:${hex}`,
    `app@sha512:${'0'.repeat(128)}`,
    `a${hex}`,
    'docker.io/library/alpine',
    `app:${'t'.repeat(128)}`,
    'x'.repeat(200),
  ])('%s', (image) => expect(imageFault(image)).toBeUndefined());

  it.each([
    ['', 'it is empty'],
    [hex, 'it is an image id; give a repository name'],
    ['Alpine', 'the repository name must be lower case'],
    ['user/App', 'the repository name must be lower case'],
    ['reg.io/App:v1', 'the repository name must be lower case'],
    ['a b', 'it is not ['],
    [' a', 'it is not ['],
    ['a\n', 'it is not ['],
    ['a:', 'it is not ['],
    ['a:-x', 'it is not ['],
    [`a:${'t'.repeat(129)}`, 'it is not ['],
    ['a/', 'it is not ['],
    ['/a', 'it is not ['],
    ['a//b', 'it is not ['],
    ['-a', 'it is not ['],
    ['a-', 'it is not ['],
    ['a..b', 'it is not ['],
    ['a___b', 'it is not ['],
    ['reg:port/a', 'it is not ['],
    ['https://reg.io/a', 'it is not ['],
    ['a@sha256:abc', 'it is not ['],
    [`a@sha256:${'a'.repeat(63)}`, 'a sha256 digest is 64 lower-case hex digits'],
    [`a@sha256:${'A'.repeat(64)}`, 'a sha256 digest is 64 lower-case hex digits'],
    [`a@md5:${'a'.repeat(32)}`, "the digest's algorithm md5 is not known"],
    ['x'.repeat(256), 'the repository name is longer than 255 characters'],
    ['{{.image}}', 'it is not ['],
    ['ünï', 'it is not ['],
  ])('%s: %s', (image, fault) => expect(imageFault(image)).toContain(fault));
});
