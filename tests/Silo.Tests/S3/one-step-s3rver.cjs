'use strict';
// Loaded before s3rver (node --require): s3rver writes an object in place and shows it while it is half-written, where S3 shows it in one
// step. What is below does without awaiting, so that no other request comes between; a killed server leaves the old object or the new one.
// It also knows nothing of the conditions of a write (If-Match, If-None-Match), which S3 honours; with WITHOUT_CONDITIONS it ignores them, as some servers do.
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const { Readable } = require('stream');

const lib = path.join(path.dirname(fs.realpathSync(process.argv[1])), '..', 'lib');
const Store = require(path.join(lib, 'stores', 'filesystem'));
const S3Error = require(path.join(lib, 'models', 'error'));
const objectModule = require.resolve(path.join(lib, 'models', 'object'));
const S3Object = require(objectModule);

require.cache[objectModule].exports = class extends S3Object {
  constructor(bucket, key, content, metadata) {
    super(bucket, key, content, metadata);
    this.ifMatch = metadata['if-match'];
    this.ifNoneMatch = metadata['if-none-match'];
  }
};

function refuse(object, file) {
  if (process.env.WITHOUT_CONDITIONS) return;
  const isThere = fs.existsSync(file);
  if (object.ifMatch && !isThere) throw new S3Error('NoSuchKey', 'The specified key does not exist.');
  if ((object.ifNoneMatch === '*' && isThere) || (object.ifMatch && object.ifMatch !== metadataOf(file).etag)) {
    throw new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  }
}

function metadataOf(file) {
  const stat = fs.statSync(file);
  return {
    etag: JSON.stringify(crypto.createHash('md5').update(fs.readFileSync(file)).digest('hex')),
    'last-modified': stat.mtime.toUTCString(),
    'content-length': stat.size,
  };
}

Store.prototype.putObject = async function (object) {
  const chunks = Buffer.isBuffer(object.content) ? [object.content] : [];
  if (chunks.length === 0) {
    for await (const chunk of object.content) chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const file = this.getResourcePath(object.bucket, object.key, 'object');
  refuse(object, file);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.tmp`, bytes);
  fs.renameSync(`${file}.tmp`, file);
  return { size: bytes.length, md5: crypto.createHash('md5').update(bytes).digest('hex') };
};

Store.prototype.getMetadata = async function (bucket, key) {
  return metadataOf(this.getResourcePath(bucket, key, 'object'));
};

Store.prototype.getObject = async function (bucket, key, options) {
  const file = this.getResourcePath(bucket, key, 'object');
  if (!fs.existsSync(file)) return null;
  const metadata = metadataOf(file);
  const asked = options && (options.start !== undefined || options.end);
  const range = { start: (asked && options.start) || 0, end: Math.min((asked && options.end) || Infinity, metadata['content-length'] - 1) };
  const bytes = fs.readFileSync(file).subarray(range.start, range.end + 1);
  const object = new S3Object(bucket, key, asked && bytes.length === 0 ? null : Readable.from([bytes]), metadata);
  if (asked) object.range = range;
  return object;
};
