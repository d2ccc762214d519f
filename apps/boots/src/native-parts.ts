// What is faster in C, and not there on every platform.
import type { BootsConfig } from './boots.config';
import { NativeSendfile } from './files/native-sendfile';
import type { Logger } from './logger';
import { NativeBatch } from './udp/native-batch';

export async function nativeBatch(config: BootsConfig, log: Logger): Promise<NativeBatch | undefined> {
  if (!config.BOOTS_UDP_BATCHES) return undefined;
  try {
    return await NativeBatch.load();
  } catch (error) {
    log.info(`UDP packets go one by one, which costs more: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

export async function nativeSendfile(config: BootsConfig, log: Logger): Promise<NativeSendfile | undefined> {
  if (!config.BOOTS_HTTP_SENDFILE) return undefined;
  try {
    return await NativeSendfile.load();
  } catch (error) {
    log.info(
      `files are copied on their way to HTTP clients: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}
