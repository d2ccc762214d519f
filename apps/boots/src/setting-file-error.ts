/** A file that a setting names cannot be used; the message says which, where in it and why. */
export class SettingFileError extends Error {}
